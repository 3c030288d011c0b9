// Package score is what a trial found: the outcome of every exchange, counted
// and summed up, and the JSON that keeps it.
package score

import "time"

// Version is the version of Report's JSON form. A reader refuses others.
const Version = 1

// Report is what a trial found: the JSON of --json, from which the table, the
// HTML page and the comparison are made. Times are in milliseconds unless the
// name says otherwise. docs/trial.md documents it.
type Report struct {
	Version   int       `json:"version"`           // Version
	Program   string    `json:"program"`           // version of tun-mcp
	Started   time.Time `json:"started"`           //
	Seconds   float64   `json:"seconds"`           // how long it took
	Cut       string    `json:"cut,omitempty"`     // why it ended early: interrupted, the agent ended
	System    string    `json:"system"`            // GOOS/GOARCH and number of processors
	Agent     Agent     `json:"agent"`             //
	Network   string    `json:"network"`           // private, host, memory
	Session   string    `json:"session,omitempty"` // whose agent it was, where that was running before
	Assist    string    `json:"assist"`            // the most help that the agent could ask for
	Settings  Settings  `json:"settings"`          //
	Scenarios []Result  `json:"scenarios"`         // in the order they ran
	Total     Tally     `json:"total"`             // over all scenarios
	Usage     *Usage    `json:"usage,omitempty"`   // what the agent told of itself

	Unrecorded []string `json:"unrecorded,omitempty"` // of each recording that is not whole: from where on, and why
}

// Agent says who played the stack.
type Agent struct {
	Kind  string `json:"kind"`            // builtin, claude, command, running
	Name  string `json:"name"`            // what tables call it: builtin, claude (model), the command
	Model string `json:"model,omitempty"` // where it is known
}

// Settings are the flags that change what a trial measures.
type Settings struct {
	Count    int     `json:"count"`       // requests a scenario; some send fewer, some more
	Interval float64 `json:"interval_ms"` // between two requests, where a scenario keeps one
	Deadline float64 `json:"deadline_ms"` // an answer after this is late
	Seed     uint64  `json:"seed"`        // of everything that is random
}

// Usage is what an agent told of its own costs.
type Usage struct {
	Turns        int     `json:"turns"`
	InputTokens  int     `json:"input_tokens"`  // those from a cache included
	OutputTokens int     `json:"output_tokens"` //
	CostUSD      float64 `json:"cost_usd"`      //
}

// Result is what one scenario found.
type Result struct {
	Scenario  string       `json:"scenario"`         // its name
	About     string       `json:"about"`            // what is sent, one line
	RFC       string       `json:"rfc"`              // what it rests on: "RFC 792, echo"
	Expect    string       `json:"expect"`           // what counts as right, one line
	Passed    bool         `json:"passed"`           //
	Skipped   bool         `json:"skipped"`          // it did not run: Reason says why; never together with Passed
	Reason    string       `json:"reason,omitempty"` // why it did not pass, or did not run
	Note      string       `json:"note,omitempty"`   // what else was found
	Seconds   float64      `json:"seconds"`          //
	Tally     Tally        `json:"tally"`            //
	RoundTrip Distribution `json:"round_trip"`       // as the peer's program saw it
	Response  Distribution `json:"response"`         // from a packet's arrival to its answer's writing
	Parts     Parts        `json:"parts"`            // where the time went
	Exchanges []Exchange   `json:"exchanges"`        // one a request, in the order they were sent
	Crossings []Crossing   `json:"crossings"`        // the first packets on the link, for the ladder
}

// Tally counts a scenario's exchanges. Sent = Right + Wrong + Lost + Late;
// what must be left alone and was counts as Right.
type Tally struct {
	Sent     int            `json:"sent"`
	Answered int            `json:"answered"` // got any answer at all
	Right    int            `json:"right"`
	Wrong    int            `json:"wrong"`
	Lost     int            `json:"lost"`
	Late     int            `json:"late"`
	Faults   map[string]int `json:"faults"`  // by kind of fault, see the Fault constants
	Refused  int            `json:"refused"` // packets that the server did not write: by assist, the link, a wrong reply_to, too fast
	Calls    int            `json:"calls"`   // tool calls
	CharsIn  int            `json:"chars_in"`
	CharsOut int            `json:"chars_out"`         // characters of arguments and of results
	Reads    int            `json:"reads"`             // packets the agent read
	Writes   int            `json:"writes"`            // packets the agent wrote
	Assists  map[string]int `json:"assists,omitempty"` // those, by the assist level that they were written with
	Rate     Rate           `json:"rate"`              // Right of Sent
}

// Rate is a share with its 95 % confidence interval (Wilson).
type Rate struct {
	Value float64 `json:"value"` // 0 to 1
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// Distribution sums up durations, in milliseconds. N of 0 means none.
type Distribution struct {
	N      int     `json:"n"`
	Min    float64 `json:"min"`
	Median float64 `json:"median"`
	P95    float64 `json:"p95"`
	Max    float64 `json:"max"`
	Mean   float64 `json:"mean"`
}

// Parts says where a round trip went: its four parts, one after the other.
type Parts struct {
	Queue  Distribution `json:"queue"`  // waiting until a read took the packet, its settle_ms included
	Tool   Distribution `json:"tool"`   // inside the two tool calls
	Agent  Distribution `json:"agent"`  // between the read's result and the write's call: thinking, and the client
	Device Distribution `json:"device"` // the rest: the peer's stack and the device, and for a program the control socket
}

// Outcomes of an Exchange.
const (
	Right = "right"
	Wrong = "wrong"
	Lost  = "lost"
	Late  = "late"
)

// Kinds of fault, the keys of Tally.Faults.
const (
	FaultIPChecksum        = "ip-checksum"
	FaultTransportChecksum = "transport-checksum" // ICMP, UDP, TCP
	FaultLength            = "length"
	FaultAddresses         = "addresses"
	FaultIDSeq             = "id-seq"    // of ICMP, or the acknowledgment number of a SYN ACK
	FaultPayload           = "payload"   // data, or not all that the program waited for
	FaultType              = "type"      // ICMP type or code, or the wrong protocol
	FaultDuplicate         = "duplicate" // answered more than once
	FaultLate              = "late"      // answered after the deadline
	FaultLost              = "lost"      // never answered, or the program that asked never had it
	FaultNoise             = "noise"     // answered what must be left alone
)

// Exchange is one thing asked of the agent and what came of it.
type Exchange struct {
	N         int      `json:"n"`                  // 1 for a scenario's first
	Name      string   `json:"name"`               // "seq 1", "wrong ICMP checksum", "GET /"
	At        float64  `json:"at_ms"`              // when it was sent, from the scenario's start
	Outcome   string   `json:"outcome"`            // Right, Wrong, Lost, Late
	Faults    []string `json:"faults,omitempty"`   // kinds
	Detail    string   `json:"detail,omitempty"`   // what exactly was wrong, one line
	Number    int      `json:"number,omitempty"`   // packet number of the request
	Answer    int      `json:"answer,omitempty"`   // packet number of the answer
	RoundTrip float64  `json:"round_trip_ms"`      // 0: none
	Response  float64  `json:"response_ms"`        // 0: none
	Queue     float64  `json:"queue_ms,omitempty"` // the parts, where they are known
	Tool      float64  `json:"tool_ms,omitempty"`
	Agent     float64  `json:"agent_ms,omitempty"`
	Device    float64  `json:"device_ms,omitempty"`
}

// Crossing is one packet on the ladder.
type Crossing struct {
	Number    int     `json:"number"`
	At        float64 `json:"at_ms"`     // since the first on the link
	Direction string  `json:"direction"` // read, write
	Bytes     int     `json:"bytes"`
	Summary   string  `json:"summary"`
	ReplyTo   int     `json:"reply_to,omitempty"`
}
