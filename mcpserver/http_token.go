package mcpserver

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"strings"
)

// shortestToken and longestToken bound a token, in characters.
const (
	shortestToken = 16
	longestToken  = 4096
)

const tokenCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/="

// Token is what an HTTP client must show. It holds a digest alone, so that the
// token itself can end in no log. The zero Token is none.
type Token struct {
	digest [sha256.Size]byte
	set    bool
}

// Set says whether there is a token at all.
func (t Token) Set() bool { return t.set }

// Is compares in a time that tells nothing about the token, its length included.
func (t Token) Is(shown string) bool {
	digest := sha256.Sum256([]byte(shown))
	return t.set && subtle.ConstantTimeCompare(digest[:], t.digest[:]) == 1
}

// NewToken takes a token, white space around it aside. Its errors do not
// repeat it.
func NewToken(text string) (Token, error) {
	text = strings.TrimSpace(text)
	if n := len(text); n < shortestToken || n > longestToken {
		return Token{}, fmt.Errorf("the token has %d characters, accepted are %d to %d; for instance the output of: openssl rand -hex 32", n, shortestToken, longestToken)
	}
	// RFC 6750 section 2.1, b64token: what can stand in a header as it is.
	if strings.ContainsFunc(text, func(c rune) bool { return !strings.ContainsRune(tokenCharacters, c) }) {
		return Token{}, errors.New("the token holds a character that cannot stand in a header; accepted are letters, digits and -._~+/=; for instance the output of: openssl rand -hex 32")
	}
	return Token{digest: sha256.Sum256([]byte(text)), set: true}, nil
}

// ReadToken takes the token from a file, which nobody but its owner may read.
func ReadToken(path string) (Token, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Token{}, fmt.Errorf("reading the token: %w; make one with: (umask 077; openssl rand -hex 32 > %q)", err, path)
	}
	if err != nil {
		return Token{}, fmt.Errorf("reading the token: %w", err)
	}
	defer f.Close()
	info, err := f.Stat() // of what was opened, not of what stands there later
	if err != nil {
		return Token{}, fmt.Errorf("reading the token: %w", err)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 && runtime.GOOS != "windows" {
		return Token{}, fmt.Errorf("%s has the mode %04o: others than its owner can read the token; chmod 600 %s", path, mode, path)
	}
	data, err := io.ReadAll(io.LimitReader(f, longestToken+64))
	if err != nil {
		return Token{}, fmt.Errorf("reading the token: %w", err)
	}
	token, err := NewToken(string(data))
	if err != nil {
		return Token{}, fmt.Errorf("%s: %w", path, err)
	}
	return token, nil
}
