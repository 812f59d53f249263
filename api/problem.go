package api

import "fmt"

// Problem is the body of every answer with a status from 400 on: problem
// details after RFC 9457, with the extension member next. It is also the error
// that the client returns.
type Problem struct {
	// Type is "about:blank" or a URI reference that names the kind of problem;
	// programs compare it, or the status.
	Type   string `json:"type"`
	Title  string `json:"title"`            // the kind of problem in a few words, the same every time
	Status int    `json:"status"`           // the HTTP status, repeated
	Detail string `json:"detail,omitempty"` // what was wrong this time
	Next   string `json:"next,omitempty"`   // what to do about it
}

// Error returns the problem for people: what was wrong and what to do.
func (p *Problem) Error() string {
	text := p.Detail
	if text == "" {
		text = p.Title
	}
	if text == "" {
		text = fmt.Sprintf("the server answered with status %d", p.Status)
	}
	if p.Next != "" {
		text += "; " + p.Next
	}
	return text
}
