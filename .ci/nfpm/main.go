// Nfpm builds the Debian and RPM packages described by the section nfpms of
// .goreleaser.yaml, as GoReleaser would:
//
//	go run . FOLDER_OF_THE_MODULE VERSION ARCH BINARY OUT
package main

import (
	"bytes"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/goreleaser/nfpm/v2"
	_ "github.com/goreleaser/nfpm/v2/deb"
	_ "github.com/goreleaser/nfpm/v2/rpm"
	"go.yaml.in/yaml/v3"
)

func main() {
	if len(os.Args) != 6 {
		log.Fatal("usage: nfpm FOLDER_OF_THE_MODULE VERSION ARCH BINARY OUT")
	}
	if err := run(os.Args[1], os.Args[2], os.Args[3], os.Args[4], os.Args[5]); err != nil {
		log.Fatal(err)
	}
}

func run(top, version, arch, binary, out string) error {
	// Paths in the section are relative to the module.
	if err := os.Chdir(top); err != nil {
		return err
	}
	data, err := os.ReadFile(".goreleaser.yaml")
	if err != nil {
		return err
	}
	var release struct {
		Nfpms []map[string]any `yaml:"nfpms"`
	}
	if err := yaml.Unmarshal(data, &release); err != nil {
		return fmt.Errorf(".goreleaser.yaml: %w", err)
	}
	if len(release.Nfpms) != 1 {
		return fmt.Errorf(".goreleaser.yaml: %d entries in nfpms, want one", len(release.Nfpms))
	}
	section := release.Nfpms[0]
	formats, _ := section["formats"].([]any)
	contents, _ := section["contents"].([]any)
	section["name"], section["version"], section["arch"] = section["package_name"], version, arch
	section["contents"] = append(contents, map[string]any{"src": binary, "dst": "/usr/bin/tun-mcp", "file_info": map[string]any{"mode": 0o755}})
	for _, own := range []string{"id", "formats", "package_name", "file_name_template"} { // GoReleaser's
		delete(section, own)
	}
	described, err := yaml.Marshal(section)
	if err != nil {
		return err
	}
	config, err := nfpm.Parse(bytes.NewReader(described)) // rejects unknown keys
	if err != nil {
		return fmt.Errorf("nfpms: %w", err)
	}
	for _, format := range formats {
		if err := build(config, fmt.Sprint(format), out); err != nil {
			return fmt.Errorf("making the %v package: %w", format, err)
		}
	}
	return nil
}

func build(config nfpm.Config, format, out string) error {
	packager, err := nfpm.Get(format)
	if err != nil {
		return err
	}
	info, err := config.Get(format)
	if err != nil {
		return err
	}
	info = nfpm.WithDefaults(info)
	path := filepath.Join(out, packager.ConventionalFileName(info))
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := packager.Package(info, f); err != nil {
		return err
	}
	fmt.Println(path)
	return f.Close()
}
