package cli

import (
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"unicode/utf8"
)

// An exitError is an error with its own exit status. If Err is nil, the command
// has already printed the reason.
type exitError struct {
	Status int
	Err    error
}

func (e *exitError) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("exit status %d", e.Status)
	}
	return e.Err.Error()
}

func (e *exitError) Unwrap() error { return e.Err }

// exitStatus prints err on stderr and returns the exit status: that of an exitError
// (2 for wrong usage), that of a program that was run and has printed its own
// reason, else 1.
func exitStatus(err error) int {
	status := 1
	if own, ok := errors.AsType[*exitError](err); ok {
		if status = own.Status; own.Err == nil {
			return status
		}
	} else if child, ok := errors.AsType[*exec.ExitError](err); ok && child.Exited() {
		return child.ExitCode()
	}
	complain("tun-mcp: " + harmless(inWords(err)) + "\n")
	return status
}

// inWords formats err for the user. Any step may run out of descriptors, so the
// remedy is added here.
func inWords(err error) string {
	text := err.Error()
	if errors.Is(err, syscall.EMFILE) && !strings.Contains(text, "ulimit") {
		text += "; allow this process more descriptors: ulimit -n 1024"
	}
	return text
}

// harmless returns text in a form that cannot control a terminal: an error may
// quote an agent or another program. Control characters and invisible ones are
// escaped, except line ends and tabs.
func harmless(text string) string {
	var out strings.Builder
	for len(text) > 0 {
		c, size := utf8.DecodeRuneInString(text)
		switch {
		case c == utf8.RuneError && size == 1:
			fmt.Fprintf(&out, "\\x%02x", text[0])
		case c == '\n' || c == '\t' || strconv.IsPrint(c):
			out.WriteRune(c)
		default:
			out.WriteString(strings.Trim(strconv.QuoteRuneToASCII(c), "'"))
		}
		text = text[size:]
	}
	return out.String()
}
