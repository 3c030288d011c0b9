package session

import "time"

// Status is what GET /status and the resource tun://status say of a session.
// Addresses are as text; those of IPv6 are empty while it is off.
type Status struct {
	Session   string        `json:"session"`            // name; a server started again has another
	PID       int           `json:"pid"`                // the server's process
	Version   string        `json:"version"`            //
	Started   time.Time     `json:"started"`            //
	State     string        `json:"state"`              // "open", or how the link has ended
	Network   string        `json:"network"`            // private, host, memory
	Why       string        `json:"why"`                // why this network was taken
	Holder    int           `json:"holder,omitempty"`   // the process that holds the private network's namespaces
	Device    string        `json:"device"`             // its name in the peer's system
	Link      string        `json:"link"`               // up, down, gone; unknown if it could not be asked
	MTU       int           `json:"mtu"`                // bytes, as of now
	Peer      string        `json:"peer"`               // 10.77.0.1/24
	Agent     string        `json:"agent"`              // 10.77.0.2
	Peer6     string        `json:"peer6,omitempty"`    //
	Agent6    string        `json:"agent6,omitempty"`   //
	Assist    string        `json:"assist"`             // the most that write_packet may be asked for
	Queue     int           `json:"queue"`              // packets that may wait
	MaxPPS    int           `json:"max_pps"`            // packets a second that may be written; 0: no limit
	PingWith  string        `json:"ping_with"`          // a command that pings the agent
	Endpoint  string        `json:"endpoint,omitempty"` // URL at which MCP is served, with --http
	Readers   int           `json:"readers"`            // reads that wait for a packet right now
	Counters  Counters      `json:"packets"`
	Responses ResponseTimes `json:"response_times"`
	Recording *Recording    `json:"recording,omitempty"` // with --record
	Runtime   Runtime       `json:"runtime"`
}

// Fill completes a status with what the session itself knows.
func (s *Session) Fill(status Status) Status {
	status.MTU = s.mtu()
	s.mu.Lock()
	defer s.mu.Unlock()
	status.Session, status.Started, status.State = s.config.Name, s.started, "open"
	if s.err != nil {
		status.State = s.err.Error()
	}
	status.Queue, status.MaxPPS = len(s.queue.ring), s.config.MaxPPS
	status.Readers, status.Counters, status.Responses = s.readers, s.count(), s.pairs.sum()
	status.Recording = s.config.Record.recording()
	status.Runtime = runtimeNow()
	return status
}
