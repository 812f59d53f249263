package config

import "time"

// Config is a whole, valid configuration. Every default has been filled in.
type Config struct {
	Node         Node
	Listen       Listen
	Storage      Storage
	Limits       Limits
	DrainTimeout time.Duration // most time for requests in flight at a stop; default 30s
	Log          Log
	Services     []Service // at least one
	Tokens       []Token
}

// Node says which node this is.
type Node struct {
	Name    string // default: the host's name
	POP     string // the point of presence that it belongs to; default: Name
	DataDir string // absolute; without effect in this version, which keeps nothing over a restart
}

// Listen says where the node is reached. HTTP or HTTPS has at least one entry.
type Listen struct {
	HTTP  []Address
	HTTPS []TLSAddress
	Admin Address // default 127.0.0.1:8081
}

// TLSAddress is a listener for HTTPS with its certificate.
type TLSAddress struct {
	Address Address
	Cert    string // absolute path of a PEM file: the certificate, then its chain
	Key     string // absolute path of a PEM file
}

// Storage bounds what the node stores.
type Storage struct {
	Memory      Size // objects, their index and tags; default 256MiB, at least MinMemory
	MaxVariants int  // of one URL; default 64
}

// MinMemory is the least Storage.Memory: below it the objects in use at one
// moment would leave no room for storing any.
const MinMemory = 1 << 20

// Limits bound what one client can take.
type Limits struct {
	HeaderBytes   Size          // of a request's head; default 64KiB
	URLBytes      Size          // of a request's target; default 8KiB
	HeaderFields  int           // lines of a request's head; default 128
	HeaderTimeout time.Duration // to send a request's head; default 10s
	IdleTimeout   time.Duration // between two requests of a connection; default 75s
	WriteTimeout  time.Duration // for each write to a client to make progress, not for the whole answer; default 30s
	Connections   int           // at once, over all listeners; default 16384
	BodyBytes     Size          // of a request's body; default 0: no limit
}

// Log says what the node logs about itself, and how.
type Log struct {
	Level  LogLevel  // default info
	Format LogFormat // default text
}

// LogLevel is the least severe level that is logged.
type LogLevel string

// The levels of a log.
const (
	LogDebug LogLevel = "debug"
	LogInfo  LogLevel = "info"
	LogWarn  LogLevel = "warn"
	LogError LogLevel = "error"
)

// LogFormat is the form of a log line.
type LogFormat string

// The forms of a log line.
const (
	LogText LogFormat = "text" // key=value
	LogJSON LogFormat = "json"
)
