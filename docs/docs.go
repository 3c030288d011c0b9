// Package docs holds the guides for people and agents. The server's prompts
// and resources are these very files.
package docs

import "embed"

// Files are the guides, by file name.
//
//go:embed *.md
var Files embed.FS
