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
	"strconv"
	"strings"
)

// The limits of a token, in characters.
const (
	shortestToken = 16
	longestToken  = 4096
)

// maxTokenFile is how many bytes of a token's file are read: the token and some white
// space.
const maxTokenFile = longestToken + 64

const tokenCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/="

// Token is the secret that an HTTP client must send. It holds only a digest, so the
// secret itself cannot get into a log. The zero Token means no token.
type Token struct {
	digest [sha256.Size]byte
	set    bool
}

// Set reports whether there is a token.
func (t Token) Set() bool { return t.set }

// Is reports whether shown is the token. The time it takes reveals nothing about the
// token, not even its length.
func (t Token) Is(shown string) bool {
	digest := sha256.Sum256([]byte(shown))
	return t.set && subtle.ConstantTimeCompare(digest[:], t.digest[:]) == 1
}

// NewToken returns a Token for text, without white space around it. Errors do not
// quote the text.
func NewToken(text string) (Token, error) {
	text = strings.TrimSpace(text)
	if n := len(text); n < shortestToken || n > longestToken {
		return Token{}, wrongLength(strconv.Itoa(n))
	}
	// RFC 6750 section 2.1, b64token.
	if strings.ContainsFunc(text, func(c rune) bool { return !strings.ContainsRune(tokenCharacters, c) }) {
		return Token{}, errors.New("the token has a character that is not allowed; accepted: letters, digits and -._~+/=; for instance use the output of: openssl rand -hex 32")
	}
	return Token{digest: sha256.Sum256([]byte(text)), set: true}, nil
}

// wrongLength returns the error for a token of the wrong length; characters says how
// many it has.
func wrongLength(characters string) error {
	return fmt.Errorf("the token has %s characters; accepted: %d to %d; for instance use the output of: openssl rand -hex 32", characters, shortestToken, longestToken)
}

// ReadToken reads the token from a file. Only the file's owner may be able to read it.
func ReadToken(path string) (Token, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Token{}, fmt.Errorf("reading the token: %w; make one with: (umask 077; openssl rand -hex 32 > %q)", err, path)
	}
	if err != nil {
		return Token{}, fmt.Errorf("reading the token: %w", err)
	}
	defer f.Close()
	info, err := f.Stat() // of the open file, since path may change meanwhile
	if err != nil {
		return Token{}, fmt.Errorf("reading the token: %w", err)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 && runtime.GOOS != "windows" {
		return Token{}, fmt.Errorf("%s has the mode %04o, so others can read the token: chmod 600 %s", path, mode, path)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxTokenFile+1))
	if err != nil {
		return Token{}, fmt.Errorf("reading the token: %w", err)
	}
	if len(data) > maxTokenFile { // the file may be huge or endless
		return Token{}, fmt.Errorf("%s: %w", path, wrongLength(fmt.Sprintf("more than %d", longestToken)))
	}
	token, err := NewToken(string(data))
	if err != nil {
		return Token{}, fmt.Errorf("%s: %w", path, err)
	}
	return token, nil
}
