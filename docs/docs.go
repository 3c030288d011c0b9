// Package docs holds the guides that agents work by. The server's prompts and
// resources are these very files. The other pages of this folder are for people.
package docs

import "embed"

// Files are the guides, by file name.
//
//go:embed answer-pings.md by-hand.md no-summary.md play-*.md write-handler.md
var Files embed.FS
