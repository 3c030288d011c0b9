package mcpserver_test

import (
	"errors"
	"io"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
)

// A request may not have the id of one in progress, since their answers and
// cancellations could not be told apart.
func TestDuplicateID(t *testing.T) {
	for _, ids := range []struct{ first, same, other string }{
		{"1", "1", `"1"`},
		{"1", "1.0", "2"},
		{"100", "1e2", `"100"`},
		{"0", "-0", "1e-323"},
		{`"a"`, `"\u0061"`, `"A"`},
	} {
		t.Run(ids.first+" "+ids.same, func(t *testing.T) {
			onWire(t, func(t *testing.T, w *wire) {
				w.hear()
				w.send(call(ids.first, "wait", "{}") + call(ids.same, "say", "{}") + call(ids.other, "say", "{}"))
				w.want(`"error":{"code":-32600,"message":"a request with the id`, `"said {}"`)
				w.send(cancel(ids.same)) // cancels the first, which gets no answer
				w.want()
				w.send(call(ids.first, "say", "{}")) // now the id is free
				w.want(`"said {}"`)
			})
		})
	}
}

func TestIDsThatCannotBeAnswered(t *testing.T) {
	onWire(t, func(t *testing.T, w *wire) {
		w.hear()
		for _, id := range []string{"null", "true", "[1]", `{"a":1}`, "9007199254740993", "1e999"} {
			w.send(call(id, "say", "{}"))
			w.want(`{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"the id is ` + strings.ReplaceAll(id, `"`, `\"`) + `; accepted: a string, or a number below 2^53"}}`)
		}
		for _, id := range []string{"1e-400", "-1e-999999999", "1.00000000000000000001", `"\ud800"`} {
			w.send(call(id, "say", "{}"))
			w.want(`"id":null,"error":{"code":-32600,"message":"the id is `)
		}
		for id, answered := range map[string]string{"0.1": "0.1", "-15e-1": "-1.5", "0e-999999999": "0", "5e-324": "5e-324", `"\ud83d\ude00"`: `"😀"`, `"\ufffd"`: "\"\ufffd\"", `"\\ud800"`: `"\\ud800"`} {
			w.send(call(id, "say", "{}"))
			w.want(`"id":` + answered + `,"result"`)
		}
	})
}

// A cancellation before its request has no effect on stdio: a client cannot mean a
// request that it has not yet sent.
func TestCancelBeforeTheRequest(t *testing.T) {
	onWire(t, func(t *testing.T, w *wire) {
		w.hear()
		w.send(cancel("7") + call("7", "say", "{}"))
		w.want(`"said {}"`)
	})
}

// A cancellation right after its request finds it, even if the server is busy.
func TestCancelRightBehindTheRequest(t *testing.T) {
	onWire(t, func(t *testing.T, w *wire) {
		w.hear()
		lines := ""
		for i := range 100 {
			lines += call(strconv.Itoa(i), "wait", "{}") + cancel(strconv.Itoa(i))
		}
		w.send(lines)
		w.want()
		lines = ""
		for i := range 100 {
			lines += call(strconv.Itoa(i), "say", "{}") // the ids are free if the calls have ended
		}
		w.send(lines)
		if got := w.heard(); len(got) != 100 || strings.Contains(strings.Join(got, ""), "error") {
			t.Errorf("%d of 100 calls have ended: %q", len(got), got)
		}
	})
}

// A tool that says when it waits holds the reading up until then, and no longer.
func TestSwiftCalls(t *testing.T) {
	onWire(t, func(t *testing.T, w *wire) {
		w.hear()
		for range 3 {
			w.send(call("1", "swift", `{"a":1}`) + call("2", "swift", "{}") + call("3", "swift", `{"a":2}`) + call("4", "swift", "{}") + call("5", "say", "{}"))
			w.want(`"id":1,"result":{"content":[{"type":"text","text":"swift {\"a\":1}"}]}`, `"id":3,"result":{"content":[{"type":"text","text":"swift {\"a\":2}"}]}`, `"said {}"`)
			w.send(cancel("2") + cancel("4"))
			w.want()
		}
	})
}

// A cancelled call gets no answer, unless it has done something that the client should
// know.
func TestCancelledIsNotAnswered(t *testing.T) {
	onWire(t, func(t *testing.T, w *wire) {
		w.hear()
		w.send(call("1", "wait", "{}") + call("2", "act", "{}") + cancel("1") + cancel("2"))
		w.want(`"id":2,"result":{"content":[{"type":"text","text":"acted"}]}`)
	})
}

// When the server ends, waiting calls are answered, since the client did not cancel
// them.
func TestEndIsAnswered(t *testing.T) {
	onWire(t, func(t *testing.T, w *wire) {
		w.hear()
		w.send(call("1", "wait", "{}"))
		w.in.Close()
		if err := <-w.ended; err != nil {
			t.Errorf("ServeStdio returned %v, want nil", err)
		}
		w.want("waited in vain")
	})
}

func TestCancelAfterTheAnswer(t *testing.T) {
	onWire(t, func(t *testing.T, w *wire) {
		w.hear()
		w.send(call("1", "say", "{}"))
		w.want(`"said {}"`)
		w.send(cancel("1") + cancel("null") + cancel(`{"a":1}`) + call("2", "wait", "{}"))
		w.want()
	})
}

// Half a message is answered by an error and not served.
func TestHalfALineThenEOF(t *testing.T) {
	onWire(t, func(t *testing.T, w *wire) {
		w.hear()
		w.send(call("1", "say", `{"text":"whole"}`) + call("2", "say", "{}")[:40])
		w.in.Close()
		w.want(`said {\"text\":\"whole\"}`, `"id":null,"error":{"code":-32700,"message":"not a JSON-RPC message: unexpected end of JSON input"}`)
		if err := <-w.ended; err != nil {
			t.Errorf("ServeStdio returned %v, want nil", err)
		}
	})
}

// The last line needs no newline.
func TestWholeLineThenEOF(t *testing.T) {
	onWire(t, func(t *testing.T, w *wire) {
		w.hear()
		w.send(strings.TrimSpace(call("1", "say", "{}")))
		w.in.Close()
		w.want(`"said {}"`)
	})
}

func TestInvalidUTF8(t *testing.T) {
	onWire(t, func(t *testing.T, w *wire) {
		w.hear()
		line := call("5", "say", "{\"text\":\"caf\xe9\"}")
		w.send(line)
		w.want(`"id":5,"error":{"code":-32700,"message":"the message is not UTF-8: byte ` + strconv.Itoa(strings.Index(line, "\xe9")) + ` is 0xe9; send text as UTF-8`)
		w.send("\xff\xfe\n" + call("6", "say", `{"text":"café"}`))
		w.want("not a JSON-RPC message: invalid character", "café")
	})
}

func TestNoJSONObject(t *testing.T) {
	onWire(t, func(t *testing.T, w *wire) {
		w.hear()
		for _, line := range []string{"null", "42", `"text"`, "[" + strings.TrimSpace(call("1", "say", "{}")) + "]"} {
			w.send(line + "\n")
			w.want(`"id":null,"error":{"code":-32600,"message":"not a JSON object: send each JSON-RPC message by itself, batches are not supported"`)
		}
		w.send(`{"jsonrpc":"2.0","id":1,"result":{}}` + "\n") // an answer without a request
		w.want()
	})
}

// A message that has no method and is not an answer gets an error with its id.
func TestNoMethod(t *testing.T) {
	onWire(t, func(t *testing.T, w *wire) {
		w.hear()
		for message, id := range map[string]string{
			`{"jsonrpc":"2.0","id":8,"method":5}`:               "8",
			`{"jsonrpc":"2.0","id":"a","params":1,"method":[]}`: `"a"`,
			`{"jsonrpc":"2.0","id":9}`:                          "9",
			`{"jsonrpc":"2.0","method":1,"params":"bar"}`:       "null",
		} {
			w.send(message + "\n")
			w.want(`"id":` + id + `,"error":{"code":-32600,"message":"the method is missing, empty or not a string"}`)
		}
	})
}

// A panic in a tool is an error of only that call.
func TestToolPanics(t *testing.T) {
	onWire(t, func(t *testing.T, w *wire) {
		w.hear()
		w.send(call("1", "fail", "{}"))
		w.want("out of order")
		w.send(call("2", "say", "{}"))
		w.want(`"said {}"`)
	})
}

// A client that reads late gets every answer. Meanwhile the server accepts only what it
// can keep, and lets the client wait.
func TestClientReadsLate(t *testing.T) {
	onWire(t, func(t *testing.T, w *wire) {
		const calls = 400
		sent := make(chan struct{})
		go func() {
			defer close(sent)
			for i := range calls {
				if _, err := io.WriteString(w.in, call(strconv.Itoa(i), "say", `"`+strings.Repeat("x", 4096)+`"`)); err != nil {
					return
				}
			}
		}()
		synctest.Wait()
		select {
		case <-sent:
			t.Error("the server accepts everything")
		default:
		}
		w.hear()
		got, said, refused := w.heard(), 0, 0
		for _, line := range got {
			switch {
			case strings.Contains(line, `"said \"xxx`):
				said++
			case strings.Contains(line, "256 requests are in progress, which is the limit: wait for one to end"):
				refused++
			default:
				t.Errorf("unexpected line: %s", line)
			}
		}
		if said+refused != calls || said < 256 {
			t.Errorf("%d calls, %d were served and %d refused", calls, said, refused)
		}
	})
}

// A client that has closed its end of stdout is gone, even if stdin is open.
func TestClientClosesItsEnd(t *testing.T) {
	onWire(t, func(t *testing.T, w *wire) {
		w.send(call("1", "wait", "{}"))
		w.out.CloseWithError(errors.New("nobody reads"))
		w.send(call("2", "say", "{}"))
		if err := <-w.ended; err != nil {
			t.Errorf("ServeStdio returned %v, want nil", err)
		}
	})
}
