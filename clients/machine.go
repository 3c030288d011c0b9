package clients

import "path"

// A Machine has what the paths of configurations depend on.
type Machine struct {
	OS     string // like runtime.GOOS
	Home   string // the user's home folder
	Getenv func(string) string
}

// in returns a path below the user's home folder.
func (m Machine) in(elements ...string) string {
	return path.Join(append([]string{m.Home}, elements...)...)
}

// appData returns a path below the folder where graphical programs keep their settings.
func (m Machine) appData(elements ...string) string {
	base := m.in(".config")
	switch dir := m.Getenv("XDG_CONFIG_HOME"); {
	case m.OS == "darwin":
		base = m.in("Library", "Application Support")
	case m.OS == "windows":
		if base = m.Getenv("APPDATA"); base == "" {
			base = m.in("AppData", "Roaming")
		}
	case path.IsAbs(dir):
		base = dir
	}
	return path.Join(append([]string{base}, elements...)...)
}

// config returns a path below the folder where terminal programs keep their settings.
func (m Machine) config(elements ...string) string {
	if dir := m.Getenv("XDG_CONFIG_HOME"); m.OS != "windows" && path.IsAbs(dir) {
		return path.Join(append([]string{dir}, elements...)...)
	}
	return m.in(append([]string{".config"}, elements...)...)
}

// under returns the path of a file in the folder that an environment variable names, or else
// in folder below the home folder.
func (m Machine) under(variable, folder, file string) string {
	if dir := m.Getenv(variable); dir != "" {
		return path.Join(dir, file)
	}
	return m.in(folder, file)
}
