// Package score holds the result of a trial: the outcome of every exchange, counts and
// times that summarize them, and their JSON files.
package score

import "time"

// Version is the version of Report's JSON. Read accepts no other.
const Version = 1

// Report is the result of a trial. It is the JSON of --json, and the source of the table,
// the HTML page and the comparison. Times are in milliseconds unless the name says
// otherwise. docs/trial.md documents it.
type Report struct {
	Version   int       `json:"version"`           // Version
	Program   string    `json:"program"`           // version of tun-mcp
	Started   time.Time `json:"started"`           //
	Seconds   float64   `json:"seconds"`           // how long it took
	Cut       string    `json:"cut,omitempty"`     // why it ended early, for instance "interrupted"
	System    string    `json:"system"`            // GOOS/GOARCH and number of processors
	Agent     Agent     `json:"agent"`             //
	Network   string    `json:"network"`           // private, host, memory
	Session   string    `json:"session,omitempty"` // with agent running: the name of its session
	Assist    string    `json:"assist"`            // the most help that the agent could ask for
	Settings  Settings  `json:"settings"`          //
	Scenarios []Result  `json:"scenarios"`         // in the order they ran
	Total     Tally     `json:"total"`             // over all scenarios
	Reward    float64   `json:"reward"`            // 0 to 1: the mean of the scenarios' rewards
	Usage     *Usage    `json:"usage,omitempty"`   // reported by the agent
	Handler   *Handler  `json:"handler,omitempty"` // what packet handlers did, if there were any

	Handlers bool `json:"handlers,omitempty"` // the trial let the agent install packet handlers

	Unrecorded []string `json:"unrecorded,omitempty"` // a message about each recording that is incomplete
}

// Agent identifies the agent under test.
type Agent struct {
	Kind  string `json:"kind"`            // builtin, handler, claude, command, served, running
	Name  string `json:"name"`            // in tables: builtin, claude (model), the command
	Model string `json:"model,omitempty"` // if known
}

// Settings are the flags that change what a trial measures.
type Settings struct {
	Count    int     `json:"count"`            // requests per scenario; some send fewer, some more
	Interval float64 `json:"interval_ms"`      // between two requests of the scenario load
	Deadline float64 `json:"deadline_ms"`      // later answers are late
	Seed     uint64  `json:"seed"`             // for everything random; each further repetition has the next number
	Repeat   int     `json:"repeat,omitempty"` // how often each scenario runs; 0 means once
}

// Usage is the cost that an agent reported.
type Usage struct {
	Turns        int     `json:"turns"`
	InputTokens  int     `json:"input_tokens"`  // including those from a cache
	OutputTokens int     `json:"output_tokens"` //
	CostUSD      float64 `json:"cost_usd"`      //
}

// Result is the result of one scenario.
type Result struct {
	Scenario  string       `json:"scenario"`           // its name
	About     string       `json:"about"`              // what it sends, in one line
	RFC       string       `json:"rfc"`                // the RFCs that it tests, for instance "RFC 792, echo"
	Expect    string       `json:"expect"`             // what counts as right, in one line
	Passed    bool         `json:"passed"`             //
	Skipped   bool         `json:"skipped"`            // it did not run, for Reason; then Passed is false
	Unsuited  bool         `json:"unsuited,omitempty"` // it was skipped and the user did not name it, so the trial can pass without it
	Reason    string       `json:"reason,omitempty"`   // why it did not pass, or did not run
	Note      string       `json:"note,omitempty"`     // a further finding
	Seconds   float64      `json:"seconds"`            //
	Tally     Tally        `json:"tally"`              //
	RoundTrip Distribution `json:"round_trip"`         // measured by the peer's program
	Response  Distribution `json:"response"`           // from the arrival of a packet to the writing of its answer
	Parts     Parts        `json:"parts"`              // where the time went
	Exchanges []Exchange   `json:"exchanges"`          // one for each request, in the order sent
	Crossings []Crossing   `json:"crossings"`          // the first packets on the link, for the ladder
	Sums      *Sums        `json:"sums,omitempty"`     // of the scenario checksum
	Reward    *float64     `json:"reward,omitempty"`   // 0 to 1, see Scored; nil if the scenario cannot run on the link
	Repeats   []Repeat     `json:"repeats,omitempty"`  // the results of each repetition, if there are several
}

// Tally counts a scenario's exchanges. Sent = Right + Wrong + Lost + Late, without
// Probes. A packet that the agent must ignore, and did, counts as Right.
type Tally struct {
	Sent      int            `json:"sent"`
	Answered  int            `json:"answered"` // those with any answer
	Right     int            `json:"right"`
	Wrong     int            `json:"wrong"`
	Lost      int            `json:"lost"`
	Late      int            `json:"late"`
	Probes    int            `json:"probes,omitempty"` // exchanges that are not counted, see Exchange.Probe
	Faults    map[string]int `json:"faults"`           // by kind of fault, see the Fault constants
	Refused   int            `json:"refused"`          // packets that the server did not write: by assist, the link, a wrong reply_to, too fast
	Calls     int            `json:"calls"`            // tool calls
	CharsIn   int            `json:"chars_in"`
	CharsOut  int            `json:"chars_out"`            // characters of arguments (in) and results (out)
	Reads     int            `json:"reads"`                // packets that the agent read
	Writes    int            `json:"writes"`               // packets that the agent or its handler wrote
	ByHandler int            `json:"by_handler,omitempty"` // packets that the handler wrote
	Assists   map[string]int `json:"assists,omitempty"`    // written packets by assist level
	Rate      Rate           `json:"rate"`                 // Right of Sent
}

// Rate is a share with its 95 % confidence interval (Wilson).
type Rate struct {
	Value float64 `json:"value"` // 0 to 1
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// Distribution summarizes durations, in milliseconds. N is how many there are.
type Distribution struct {
	N      int     `json:"n"`
	Min    float64 `json:"min"`
	Median float64 `json:"median"`
	P95    float64 `json:"p95"`
	Max    float64 `json:"max"`
	Mean   float64 `json:"mean"`
}

// Parts divides round trips into four parts.
type Parts struct {
	Queue  Distribution `json:"queue"`  // until a read took the packet, including settle_ms
	Tool   Distribution `json:"tool"`   // inside the two tool calls
	Agent  Distribution `json:"agent"`  // from the read's result to the write's call: the model and its client
	Device Distribution `json:"device"` // the rest: the peer's stack, the device and, for a program, the control socket
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
	FaultPayload           = "payload"   // wrong data, or no complete answer for the program
	FaultType              = "type"      // ICMP type or code, or the wrong protocol
	FaultDuplicate         = "duplicate" // answered more than once
	FaultLate              = "late"      // answered after the deadline
	FaultLost              = "lost"      // never answered, or the answer never reached the program
	FaultNoise             = "noise"     // answered a packet that must be ignored
)

// Exchange is one request to the agent and its outcome.
type Exchange struct {
	N         int      `json:"n"`                  // 1 for a scenario's first
	Repeat    int      `json:"repeat,omitempty"`   // repetition, from 1; 0 if there is only one
	Name      string   `json:"name"`               // "seq 1", "wrong ICMP checksum", "GET /"
	Run       int      `json:"run,omitempty"`      // which continuation of the trial sent it; 0 means none
	At        float64  `json:"at_ms"`              // when it was sent, since the scenario's start in that run
	Outcome   string   `json:"outcome"`            // Right, Wrong, Lost, Late
	Faults    []string `json:"faults,omitempty"`   // kinds
	Detail    string   `json:"detail,omitempty"`   // what was wrong, in one line
	Probe     bool     `json:"probe,omitempty"`    // it only measures how far the agent gets: no tally counts its outcome, no distribution has its times
	Words     int      `json:"words,omitempty"`    // in the scenario checksum: 16-bit words of the datagram
	NoSum     bool     `json:"no_sum,omitempty"`   // the answer shows no sum of these words: it is no whole UDP datagram
	Number    int      `json:"number,omitempty"`   // packet number of the request
	Answer    int      `json:"answer,omitempty"`   // packet number of the answer
	RoundTrip float64  `json:"round_trip_ms"`      // 0 means none
	Response  float64  `json:"response_ms"`        // 0 means none
	Queue     float64  `json:"queue_ms,omitempty"` // the parts, if known
	Tool      float64  `json:"tool_ms,omitempty"`
	Agent     float64  `json:"agent_ms,omitempty"`
	Device    float64  `json:"device_ms,omitempty"`
}

// Crossing is one packet on the ladder.
type Crossing struct {
	Number    int     `json:"number"`
	At        float64 `json:"at_ms"`     // since the first packet on the link
	Direction string  `json:"direction"` // read, write
	Bytes     int     `json:"bytes"`
	Summary   string  `json:"summary"`
	ReplyTo   int     `json:"reply_to,omitempty"`
}
