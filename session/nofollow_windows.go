package session

// noFollow does nothing: Windows has no named pipes in folders.
const noFollow = 0
