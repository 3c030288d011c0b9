package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"unicode/utf8"
)

// An exitError is an error with an exit status of its own. Where Err is nil
// everything has been said already.
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

// exitStatus says on stderr why the program ends and returns its exit status: 1,
// an exitError's own (2 for wrong usage), or that of a program that was run and has said why.
func exitStatus(err error) int {
	status := 1
	if own, ok := errors.AsType[*exitError](err); ok {
		if status = own.Status; own.Err == nil {
			return status
		}
	} else if child, ok := errors.AsType[*exec.ExitError](err); ok && child.Exited() {
		return child.ExitCode()
	}
	fmt.Fprintln(os.Stderr, "tun-mcp:", harmless(err.Error()))
	return status
}

// harmless is a text that a terminal only shows: an error may quote what an
// agent or another program said last. Control and invisible characters, but
// for line ends and tabs, are spelled out.
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
