package mcpserver

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// heap returns the memory in use, in bytes.
func heap() int64 {
	var now runtime.MemStats
	runtime.GC()
	runtime.GC() // again, for memory released by finalizers
	runtime.ReadMemStats(&now)
	return int64(now.HeapAlloc)
}

// cost is not less than the memory that a message takes, raw and decoded as the tools
// do it.
func TestCost(t *testing.T) {
	numbered := func(n int) string {
		var out strings.Builder
		for i := range n {
			fmt.Fprintf(&out, `"%d":"",`, i)
		}
		return strings.TrimSuffix(out.String(), ",")
	}
	for name, text := range map[string]string{
		"objects":        "[" + strings.Repeat("{},", maxValues-2) + "{}]",
		"arrays":         "[" + strings.Repeat("[],", maxValues-2) + "[]]",
		"numbers":        "[" + strings.Repeat("1,", maxValues-2) + "1]",
		"texts":          "[" + strings.Repeat(`"",`, maxValues-2) + `""]`,
		"small objects":  "[" + strings.Repeat(`{"a":1},`, maxValues/3) + "{}]",
		"a large object": "{" + numbered(maxValues-1) + "}",
		"nested":         strings.Repeat("[", 5000) + strings.Repeat("]", 5000),
		"hex":            `{"packets":[{"hex":"` + strings.Repeat("45", 4<<20) + `"}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			before := heap()
			text := []byte(strings.Clone(text))
			var value any
			decoder := json.NewDecoder(bytes.NewReader(text))
			decoder.UseNumber()
			if err := decoder.Decode(&value); err != nil {
				t.Fatal(err)
			}
			decoder = nil
			if took, said := heap()-before, cost(text); took > said {
				t.Errorf("it takes %d bytes, but cost says %d", took, said)
			}
			runtime.KeepAlive(value)
			runtime.KeepAlive(text)
		})
	}
}

// Too many small values are refused before anything decodes them.
func TestManySmallValues(t *testing.T) {
	s := serveTest(t)
	p := s.client(legacyEra)
	fill := func(size int) string { return strings.Repeat("{},", size/3) + "{}" }
	var before, after runtime.MemStats
	for name, test := range map[string]struct{ body, want string }{
		"9 MB of _meta":       {`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read_packet","_meta":{"x":[` + fill(9e6) + `]}}}`, "JSON values; accepted: up to 16384"},
		"9 MB of arguments":   {`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read_packet","arguments":{"x":[` + fill(9e6) + `]}}}`, "JSON values; accepted: up to 16384"},
		"12 KB of _meta":      {`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read_packet","_meta":{"x":[` + fill(12e3) + `]}}}`, "JSON values outside a tool's arguments; accepted: up to 1024"},
		"100 KB of text":      {`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read_packet","_meta":{"x":"` + strings.Repeat("x", 1e5) + `"}}}`, "outside a tool's arguments; accepted: up to 65536"},
		"a client's icons":    {`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{"experimental":{"x":[` + fill(12e3) + `]}},"clientInfo":{"name":"x","version":"1"}}}`, "accepted: up to 1024"},
		"arguments of prompt": {`{"jsonrpc":"2.0","id":1,"method":"prompts/get","params":{"name":"play-host","arguments":{"guides":"` + strings.Repeat("x", 1e5) + `"}}}`, "accepted: up to 65536"},
	} {
		t.Run(name, func(t *testing.T) {
			runtime.ReadMemStats(&before)
			w := p.post(t.Context(), test.body)
			runtime.ReadMemStats(&after)
			if !strings.Contains(w.Body.String(), test.want) {
				t.Errorf("%d %.300s, want %s", w.Code, w.Body, test.want)
			}
			if took := after.TotalAlloc - before.TotalAlloc; took > uint64(4*len(test.body))+1<<20 {
				t.Errorf("%d bytes were allocated for a body of %d", took, len(test.body))
			}
		})
	}
}

// All messages in progress share one memory, including small ones.
func TestMessagesShareOneMemory(t *testing.T) {
	bothEras(t, func(t *testing.T, era string) {
		s := serveTest(t)
		p := s.client(era)
		// White space counts, too.
		arguments := `{"timeout_ms":60000` + strings.Repeat(" ", 8<<20) + `}`
		meta := ""
		if era == modernEra {
			meta = "," + metaOf2026
		}
		most := int(allMemory / cost([]byte(arguments)))
		calls := most + 3
		codes := make(chan int, calls)
		for i := range calls {
			go func() {
				w := p.post(t.Context(), fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"read_packet","arguments":%s%s}}`, i, arguments, meta))
				codes <- w.Code
			}()
		}
		synctest.Wait()
		refused := len(codes)
		if calls-refused > most || calls-refused < most-2 {
			t.Errorf("%d of %d calls wait, want about %d", calls-refused, calls, most)
		}
		for range refused {
			if code := <-codes; code != http.StatusServiceUnavailable {
				t.Errorf("one call too many got %d", code)
			}
		}
		time.Sleep(61 * time.Second)
		synctest.Wait()
		if got := p.read(t.Context(), 1000, `{"timeout_ms": 0}`); !strings.HasPrefix(got, "no packet") {
			t.Errorf("afterwards: %s", got)
		}
	})
}

// The length of ids is limited on every transport, and a longer one is not kept.
func TestLongIDs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serveTest(t)
		p := s.client(legacyEra)
		before := heap()
		for i := range 8 {
			id := fmt.Sprintf("%d%s", i, strings.Repeat("x", 9e6))
			if w := p.post(t.Context(), `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"`+id+`"}}`); w.Code != http.StatusBadRequest {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		}
		if stays := heap() - before; stays > 20<<20 {
			t.Errorf("%d bytes stay in memory", stays)
		}
		// Cancellations kept for late requests expire by themselves.
		other := s.client(legacyEra)
		for i := range maxRequests + 10 {
			p.cancel(i)
		}
		other.cancel(7)
		if n := len(s.calls.cancelled); n != maxLate+1 {
			t.Errorf("%d cancellations are kept, want %d", n, maxLate+1)
		}
		s.wants(other.begin(t.Context(), 7), "the read was cancelled")
		time.Sleep(overtaken + time.Second)
		synctest.Wait()
		if n := len(s.calls.cancelled); n != 0 {
			t.Errorf("%d cancellations are kept", n)
		}
		id := `"` + strings.Repeat("x", longestID) + `"`
		want := `"id":null,"error":{"code":-32600,"message":"the id has 258 bytes; accepted: up to 256`
		message := `{"jsonrpc":"2.0","id":` + id + `,"method":"ping"}`
		if w := p.post(t.Context(), message); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), want) {
			t.Errorf("over HTTP: %d %s", w.Code, w.Body)
		}
		if answer, err := json.Marshal(Handle(t.Context(), s.server, []byte(message))); err != nil || !strings.Contains(string(answer), want) {
			t.Errorf("on stdio: %s", answer)
		}
	})
}
