package cli

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
)

// release is the version of a release build, set by .goreleaser.yaml.
var release string

// version returns the release's version, or the module's version as the build
// recorded it, which names the commit after `go install` from a clone.
func version() string {
	if release != "" {
		return release
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return strings.TrimPrefix(info.Main.Version, "v")
	}
	return "dev"
}

// build returns the version with details of the build: the commit and its time,
// whether files were changed, the compiler and the platform.
func build() string {
	var parts []string
	if info, ok := debug.ReadBuildInfo(); ok {
		setting := map[string]string{}
		for _, s := range info.Settings {
			setting[s.Key] = s.Value
		}
		if revision := setting["vcs.revision"]; revision != "" {
			parts = append(parts, "commit "+revision[:min(len(revision), 12)], cmp.Or(setting["vcs.time"], "no time"))
			if setting["vcs.modified"] == "true" {
				parts = append(parts, "changed since")
			}
		}
	}
	parts = append(parts, runtime.Version()+" "+runtime.GOOS+"/"+runtime.GOARCH)
	return fmt.Sprintf("%s (%s)", version(), strings.Join(parts, ", "))
}
