package main

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
)

// release is the version of a release build: .goreleaser.yaml sets it.
var release string

// version is the release's, or the module's as the build recorded it: with
// `go install` from a clone it names the commit.
func version() string {
	if release != "" {
		return release
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return strings.TrimPrefix(info.Main.Version, "v")
	}
	return "dev"
}

// build is the version with all that the build knows of itself: the commit and
// its time, whether files were changed, compiler and platform.
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
