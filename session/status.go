package session

import "time"

// Status is the body of GET /status and of the resource tun://status. Addresses
// are text. IPv6 addresses are empty while IPv6 is off.
type Status struct {
	Session   string         `json:"session"`            // name; a restarted server has another
	PID       int            `json:"pid"`                // process id of the server
	Version   string         `json:"version"`            //
	Started   time.Time      `json:"started"`            //
	State     string         `json:"state"`              // "open", or how the link ended
	Network   string         `json:"network"`            // private, host, memory
	Why       string         `json:"why"`                // why this network was chosen
	Holder    int            `json:"holder,omitempty"`   // process id of the private network's holder
	Device    string         `json:"device"`             // device name in the peer's system
	Link      string         `json:"link"`               // up, down, gone, or unknown if the kernel could not be asked
	MTU       int            `json:"mtu"`                // current MTU in bytes
	Peer      string         `json:"peer"`               // 10.77.0.1/24
	Agent     string         `json:"agent"`              // 10.77.0.2
	Peer6     string         `json:"peer6,omitempty"`    //
	Agent6    string         `json:"agent6,omitempty"`   //
	Assist    string         `json:"assist"`             // the highest assist that write_packet accepts
	Queue     int            `json:"queue"`              // capacity in packets
	MaxPPS    int            `json:"max_pps"`            // packets a second that may be written; 0 means no limit
	PingWith  string         `json:"ping_with"`          // a command that pings the agent
	Endpoint  string         `json:"endpoint,omitempty"` // URL of the MCP endpoint, with --http
	Readers   int            `json:"readers"`            // reads waiting for a packet now
	Idle      bool           `json:"idle"`               // a read waits, and no queued packet needs an answer: see Read
	LastCall  time.Time      `json:"last_call,omitzero"` // when the last tool call ended; zero means there was none
	Counters  Counters       `json:"packets"`
	Responses ResponseTimes  `json:"response_times"`
	Handler   *HandlerStatus `json:"handler,omitempty"`   // once one was installed
	Recording *Recording     `json:"recording,omitempty"` // with --record
	Runtime   Runtime        `json:"runtime"`
}

// Fill sets the fields of a status that the session itself knows.
func (s *Session) Fill(status Status) Status {
	status.MTU = s.mtuNow()
	s.mu.Lock()
	defer s.mu.Unlock()
	status.Session, status.Started, status.State = s.config.Name, s.started, "open"
	if s.err != nil {
		status.State = s.err.Error()
	}
	if !s.lastCall.IsZero() {
		status.LastCall = s.steady(s.lastCall)
	}
	status.Queue, status.MaxPPS = len(s.queue.ring), s.config.MaxPPS
	status.Idle = s.readers > 0 && !s.news(ReadOptions{})
	status.Readers, status.Counters, status.Responses = s.readers, s.count(), s.pairs.sum()
	status.Handler = s.handlerStatus()
	status.Recording = s.config.Record.recording()
	status.Runtime = runtimeNow()
	return status
}
