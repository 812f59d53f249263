package config

// Log says what the node logs about itself, and how.
type Log struct {
	Level  LogLevel  // the least severe level that is logged; default info
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

// AccessLog is one record of requests.
type AccessLog struct {
	// Format is "json", "combined", "common" or a format string with %
	// directives; default json
	Format string
	// To is where the lines go: "stdout", "file:" and a path,
	// "syslog+udp://", "syslog+tcp://" or "syslog+tls://" and host:port with an
	// optional query, or an "https://" URL ("http://" on this host) that takes
	// batches. It may hold a secret and is not for logs
	To string
	// Only is a filter expression; requests that it does not take are left out;
	// default: all are written
	Only    string
	Headers LoggedHeaders
}

// AccessJSON is the only AccessLog.Format with which Headers has an effect.
const AccessJSON = "json"

// LoggedHeaders are fields that lines in JSON have beside the usual members.
type LoggedHeaders struct {
	Request  []string // names of request fields
	Response []string // names of response fields
}

// PurgeLog is one record of purges, reverts, denials and changes of tokens, as lines of JSON.
type PurgeLog struct {
	To string // where the lines go, as for AccessLog
}

// Metrics says how the node is measured.
type Metrics struct {
	Enabled bool // answer GET /metrics on the administrative listener; default true
}
