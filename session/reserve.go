package session

import "sync"

// ReserveBytes is the size of the reserve, in bytes.
const ReserveBytes = 16 << 20

var reserve []byte

// Reserve allocates memory that is never used, so that the garbage collector runs at
// most once per 16 MiB of garbage. A link has only a few MiB of live data. Without
// the reserve the collector would run 50 times a second at 50,000 packets a second,
// and take a third of the time. The system provides no memory for it, because it is
// never touched, and unlike a higher GOGC it costs no more if much data is live.
//
// A program calls Reserve when it starts. Later calls do nothing.
var Reserve = sync.OnceFunc(func() { reserve = make([]byte, ReserveBytes) })
