package config

// ErrorPage is what clients get for an error of the node's own: no origin, a
// refused request, a full queue. Errors that an origin answers stay as they are.
type ErrorPage struct {
	From, To    int    // the statuses that it is for, both included
	ContentType string // by the file's name: HTML, JSON or plain text, in UTF-8
	// Body is the file's content, at most MaxErrorPage. The placeholders
	// PageStatus, PageReason and PageRequestID may stand in it, escaped for its
	// type when they are filled in; no other {{…}} does. It is nil where the
	// configuration was parsed without files.
	Body []byte
}

// MaxErrorPage bounds an error page: it is held in memory and sent while things
// go wrong.
const MaxErrorPage Size = 64 << 10

// Placeholders of error pages.
const (
	PageStatus    = "{{status}}"     // such as 503
	PageReason    = "{{reason}}"     // the status in words, such as Service Unavailable
	PageRequestID = "{{request_id}}" // what finds the request in the access log
)
