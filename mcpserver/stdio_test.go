package mcpserver_test

import (
	"errors"
	"io"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
)

// A request may not have the id of one that is under way: the two could not be
// told apart, neither by an answer nor by a cancellation.
func TestDuplicateID(t *testing.T) {
	for _, ids := range []struct{ first, same, other string }{
		{"1", "1", `"1"`},
		{"1", "1.0", "2"},
		{"100", "1e2", `"100"`},
		{`"a"`, `"\u0061"`, `"A"`},
	} {
		t.Run(ids.first+" "+ids.same, func(t *testing.T) {
			onWire(t, func(t *testing.T, w *wire) {
				w.hear()
				w.send(call(ids.first, "wait", "{}") + call(ids.same, "say", "{}") + call(ids.other, "say", "{}"))
				w.want(`"error":{"code":-32600,"message":"a request with the id`, `"said {}"`)
				w.send(cancel(ids.same)) // the first is still known by its id; it is not answered
				w.want()
				w.send(call(ids.first, "say", "{}")) // and when it is over the id is free
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
			w.want(`{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"the id is ` + strings.ReplaceAll(id, `"`, `\"`) + `: accepted is a string, or a number below 2^53"}}`)
		}
	})
}

// A cancellation of what is not there yet is forgotten: ids are the client's,
// and it cannot mean a request that it has not made.
func TestCancelBeforeTheRequest(t *testing.T) {
	onWire(t, func(t *testing.T, w *wire) {
		w.hear()
		w.send(cancel("7") + call("7", "say", "{}"))
		w.want(`"said {}"`)
	})
}

// A cancellation in the same breath as its request finds it, however busy the
// server is.
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
			lines += call(strconv.Itoa(i), "say", "{}") // whose ids are free, if the calls have ended
		}
		w.send(lines)
		if got := w.heard(); len(got) != 100 || strings.Contains(strings.Join(got, ""), "error") {
			t.Errorf("%d of 100 calls have ended: %q", len(got), got)
		}
	})
}

// A client that has cancelled a call wants no answer, unless the call has done
// something that it ought to know.
func TestCancelledIsNotAnswered(t *testing.T) {
	onWire(t, func(t *testing.T, w *wire) {
		w.hear()
		w.send(call("1", "wait", "{}") + call("2", "act", "{}") + cancel("1") + cancel("2"))
		w.want(`"id":2,"result":{"content":[{"type":"text","text":"acted"}]}`)
	})
}

// That the server ends is no cancellation by the client: all is answered.
func TestEndIsAnswered(t *testing.T) {
	onWire(t, func(t *testing.T, w *wire) {
		w.hear()
		w.send(call("1", "wait", "{}"))
		w.in.Close()
		if err := <-w.ended; err != nil {
			t.Errorf("the serving ended with %v, want nil", err)
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

// Half a message is answered in words, but never served.
func TestHalfALineThenEOF(t *testing.T) {
	onWire(t, func(t *testing.T, w *wire) {
		w.hear()
		w.send(call("1", "say", `{"text":"whole"}`) + call("2", "say", "{}")[:40])
		w.in.Close()
		w.want(`said {\"text\":\"whole\"}`, `"id":null,"error":{"code":-32700,"message":"this is no JSON-RPC message: unexpected end of JSON input"}`)
		if err := <-w.ended; err != nil {
			t.Errorf("the serving ended with %v, want nil", err)
		}
	})
}

// A line needs no newline where the input ends.
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
		w.want("this is no JSON-RPC message: invalid character", "café")
	})
}

func TestNoJSONObject(t *testing.T) {
	onWire(t, func(t *testing.T, w *wire) {
		w.hear()
		for _, line := range []string{"null", "42", `"text"`, "[" + strings.TrimSpace(call("1", "say", "{}")) + "]"} {
			w.send(line + "\n")
			w.want(`"id":null,"error":{"code":-32600,"message":"this is no JSON object: send each JSON-RPC message by itself, batches are not served"`)
		}
		w.send(`{"jsonrpc":"2.0","id":1,"result":{}}` + "\n") // an answer, to nothing that was asked
		w.want()
	})
}

// What has no method, and is no answer either, is answered by the id that it has.
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

// What fails inside a tool is an error of that call alone.
func TestToolPanics(t *testing.T) {
	onWire(t, func(t *testing.T, w *wire) {
		w.hear()
		w.send(call("1", "fail", "{}"))
		w.want("out of order")
		w.send(call("2", "say", "{}"))
		w.want(`"said {}"`)
	})
}

// A client that reads late gets every answer. Meanwhile the server takes up no
// more than it can keep, and lets the client wait.
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
			t.Error("the server takes up whatever comes")
		default:
		}
		w.hear()
		got, said, refused := w.heard(), 0, 0
		for _, line := range got {
			switch {
			case strings.Contains(line, `"said \"xxx`):
				said++
			case strings.Contains(line, "256 requests are under way, that is the most: wait for one to end"):
				refused++
			default:
				t.Errorf("unasked for: %s", line)
			}
		}
		if said+refused != calls || said < 256 {
			t.Errorf("%d calls, %d were served and %d refused", calls, said, refused)
		}
	})
}

// A client that closed its end of stdout is gone, though stdin is open.
func TestClientClosesItsEnd(t *testing.T) {
	onWire(t, func(t *testing.T, w *wire) {
		w.send(call("1", "wait", "{}"))
		w.out.CloseWithError(errors.New("nobody reads"))
		w.send(call("2", "say", "{}"))
		if err := <-w.ended; err != nil {
			t.Errorf("the serving ended with %v, want nil", err)
		}
	})
}
