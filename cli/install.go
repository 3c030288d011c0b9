package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/tun-mcp/tun-mcp/clients"
)

// installOptions are the flags of install.
type installOptions struct {
	name             string
	remove, dry, yes bool
}

// installCommand is `tun-mcp install`.
func installCommand() *cobra.Command {
	var o installOptions
	cmd := &cobra.Command{
		Use:   "install [flags] [CLIENT…] [-- SERVER-FLAG…]",
		Short: "Add this server to the configuration of MCP clients, or remove it",
		Long: `Find the MCP clients on this machine, show the change to each configuration, ask,
and write it. Nothing else in a configuration changes: comments, order and layout
stay. A configuration that cannot be parsed is named and left alone. Flags after
-- are passed to the server.

--remove takes the server out again. If nothing else has changed since, the file
is then the same as before, byte for byte.

CLIENT is one of: ` + strings.Join(clients.IDs(), ", ") + `.`,
		Example:           "  tun-mcp install\n  tun-mcp install --dry-run codex zed\n  tun-mcp install --yes cursor -- --network memory\n  tun-mcp install --remove",
		Args:              func(cmd *cobra.Command, args []string) error { _, _, err := o.split(cmd, args); return err },
		ValidArgsFunction: cobra.FixedCompletions(clients.IDs(), cobra.ShellCompDirectiveNoFileComp),
		RunE: func(cmd *cobra.Command, args []string) error {
			chosen, flags, err := o.split(cmd, args)
			if err != nil {
				return err
			}
			return o.run(cmd, chosen, flags)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.BoolVar(&o.remove, "remove", false, "remove the server again")
	f.BoolVarP(&o.dry, "dry-run", "n", false, "show the changes without writing them")
	f.BoolVarP(&o.yes, "yes", "y", false, "write without asking")
	f.StringVar(&o.name, "name", "tun", "name of the server in the configuration")
	return cmd
}

// serverName matches the names that a server may have in a configuration.
var serverName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,32}$`)

// split separates the clients from the server's flags.
func (o *installOptions) split(cmd *cobra.Command, args []string) (chosen []clients.Client, flags []string, err error) {
	if dash := cmd.ArgsLenAtDash(); dash >= 0 {
		args, flags = args[:dash], args[dash:]
	}
	if !serverName.MatchString(o.name) {
		return nil, nil, fmt.Errorf("--name %q: accepted are 1 to 32 letters, digits, dashes and underscores", o.name)
	}
	if o.remove && len(flags) > 0 {
		return nil, nil, fmt.Errorf("install: --remove takes no server flags, got %q; leave out everything after --", strings.Join(flags, " "))
	}
	for _, id := range args {
		c, ok := clients.Find(id)
		if !ok {
			return nil, nil, fmt.Errorf("install: unknown client %q; accepted: %s", id, strings.Join(clients.IDs(), ", "))
		}
		chosen = append(chosen, c)
	}
	return chosen, flags, nil
}

// run finds, shows, asks and writes.
func (o *installOptions) run(cmd *cobra.Command, chosen []clients.Client, flags []string) error {
	home, err := os.UserHomeDir()
	if err != nil {
		return fmt.Errorf("install: %w; set it to your home folder", err)
	}
	machine := clients.Machine{OS: runtime.GOOS, Home: filepath.ToSlash(home), Getenv: os.Getenv}
	argv, err := ownCommand()
	if err != nil && !o.remove {
		return fmt.Errorf("install: %w", err)
	}
	argv = append(argv, flags...)

	out := cmd.OutOrStdout()
	named := len(chosen) > 0
	if !named {
		chosen = slices.DeleteFunc(slices.Clone(clients.All), func(c clients.Client) bool { return !installed(c, machine) })
		if len(chosen) == 0 {
			return fmt.Errorf("install: no MCP client found; name one to write its configuration anyway: tun-mcp install %s", clients.All[0].ID)
		}
	}
	var edits []edit
	failed := 0
	for _, c := range chosen {
		e, err := o.plan(c, machine, argv)
		switch {
		case errors.Is(err, clients.ErrAbsent) && !named: // nothing to remove there
		case errors.Is(err, clients.ErrThere), errors.Is(err, clients.ErrAbsent):
			fmt.Fprintf(out, "%s, %s: %v\n", c.Name, e.path, err)
		case err != nil:
			failed++
			fmt.Fprintf(out, "%s, %s: left alone: %s\n", c.Name, e.path, harmless(reason(err, c.ID, o.name)))
		default:
			edits = append(edits, e)
			fmt.Fprintf(out, "%s, %s:\n%s", c.Name, e.path, e.show())
		}
	}
	switch {
	case len(edits) == 0 && failed == 0:
		fmt.Fprintln(out, "nothing to do")
	case len(edits) > 0 && !o.dry:
		if err := o.confirm(cmd, len(edits)); err != nil {
			return err
		}
		for _, e := range edits {
			if err := e.write(); err != nil {
				failed++
				fmt.Fprintf(out, "%s, %s: left alone: %v\n", e.client.Name, e.path, err)
				continue
			}
			fmt.Fprintf(out, "%s: done; restart it\n", e.client.Name)
		}
	}
	if failed > 0 {
		return &exitError{Status: 1}
	}
	return nil
}

// reason formats the reason why a configuration is left alone.
func reason(err error, client, name string) string {
	if errors.Is(err, clients.ErrDiffers) {
		return fmt.Sprintf("its server %s is tun-mcp with another command or flags; remove it first: tun-mcp install --remove --name %s %s", name, name, client)
	}
	if errors.Is(err, clients.ErrOther) {
		return fmt.Sprintf("it has a server named %s that install did not write; choose another name with --name", name)
	}
	return err.Error()
}

// installed reports whether a client is on this machine: its configuration or the
// folder for it exists, or its command is on PATH.
func installed(c clients.Client, m clients.Machine) bool {
	files := c.Files(m)
	for _, file := range files {
		if _, err := os.Lstat(file); err == nil {
			return true
		}
	}
	if info, err := os.Stat(filepath.Dir(files[0])); err == nil && info.IsDir() && !c.Shared {
		return true
	}
	return slices.ContainsFunc(c.Programs, func(program string) bool {
		_, err := exec.LookPath(program)
		return err == nil
	})
}

// plan returns the change to a client's configuration.
func (o *installOptions) plan(c clients.Client, m clients.Machine, argv []string) (edit, error) {
	e, err := openEdit(c, m)
	if err != nil {
		return e, err
	}
	if o.remove {
		e.after, err = c.Remove(e.before, o.name)
	} else {
		e.after, err = c.Add(e.before, o.name, argv)
	}
	return e, err
}

// confirm asks whether to write. Without a terminal, --yes is required.
func (o *installOptions) confirm(cmd *cobra.Command, files int) error {
	if o.yes {
		return nil
	}
	in, isFile := cmd.InOrStdin().(*os.File)
	if isFile && !term.IsTerminal(int(in.Fd())) {
		return usage(errors.New("install: nothing was written: stdin is not a terminal, so install cannot ask; use --yes to write, or --dry-run to look"))
	}
	what := "this file"
	if files > 1 {
		what = fmt.Sprintf("these %d files", files)
	}
	fmt.Fprintf(cmd.OutOrStdout(), "Write %s? [y/N] ", what)
	answer, err := readLine(cmd.Context(), cmd.InOrStdin())
	if cmd.Context().Err() != nil {
		fmt.Fprintln(cmd.OutOrStdout())
		return errors.New("install: interrupted; nothing was written")
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if answer = strings.ToLower(strings.TrimSpace(answer)); answer != "y" && answer != "yes" {
		return errors.New("install: nothing was written")
	}
	return nil
}

// readLine reads a line, or returns when ctx ends. A read of a terminal cannot be stopped, so
// the goroutine may stay until the process ends.
func readLine(ctx context.Context, in io.Reader) (string, error) {
	type line struct {
		text string
		err  error
	}
	lines := make(chan line, 1)
	go func() {
		text, err := bufio.NewReader(in).ReadString('\n')
		lines <- line{text, err}
	}()
	select {
	case l := <-lines:
		return l.text, l.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// ownCommand returns a command that starts this program from any client. It is an
// absolute path, because graphical programs rarely have the shell's PATH.
func ownCommand() ([]string, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("finding this program: %w", err)
	}
	onPath, err := exec.LookPath("tun-mcp")
	if err == nil {
		onPath, err = filepath.Abs(onPath)
	}
	switch {
	case strings.Contains(filepath.ToSlash(self), "/_npx/"): // npm's cache, which it clears
		return []string{"npx", "-y", "tun-mcp"}, nil
	case goRun.MatchString(self) && err == nil:
		return []string{onPath}, nil
	case goRun.MatchString(self):
		return nil, errors.New("this program was started by go run, which removes it afterwards; install it first: run `go install .` in the clone")
	case err == nil && sameFile(onPath, self): // a package manager's link outlives its target
		return []string{onPath}, nil
	}
	return []string{self}, nil
}

func sameFile(a, b string) bool {
	first, errA := os.Stat(a)
	second, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(first, second)
}
