package proxy

import (
	"net/http"
	"strconv"
)

// problem is an answer of our own: why the request has no other.
type problem struct {
	status int
	token  string // why, in one word, for logs and metrics
	text   string // why, for people
}

// refuse makes the exchange end with an answer of our own.
func (x *exchange) refuse(status int, token, text string) state {
	x.problem = problem{status, token, text}
	return stateError
}

// Page is the body of an answer that the node gives in its own words.
type Page struct {
	ContentType string
	Body        []byte
}

// fail writes an answer of our own.
func (x *exchange) fail() state {
	x.outcome = outcomeError
	x.p.stats.Errors.Add(1)
	x.deadline()
	h := x.w.Header()
	reset(h)
	page := x.page()
	if len(page.Body) > 0 {
		h["Content-Type"] = []string{page.ContentType}
		h["X-Content-Type-Options"] = []string{"nosniff"}
		h["Content-Length"] = []string{strconv.Itoa(len(page.Body))}
	}
	h["Cache-Control"] = []string{"no-store"}
	if s := x.problem.status; s == http.StatusMethodNotAllowed || s == http.StatusNoContent {
		h["Allow"] = []string{"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"}
	}
	x.setNodeFields(h)
	x.rewriteResponse(h)
	x.writeHeader(x.problem.status)
	if x.r.Method != http.MethodHead {
		x.write(page.Body)
	}
	return stateDone
}

// page returns what the service wants to be said, or else the reason in plain
// words.
func (x *exchange) page() Page {
	p := x.problem
	if p.text == "" {
		return Page{}
	}
	if x.service != nil && x.service.ErrorPage != nil {
		if page, ok := x.service.ErrorPage(p.status, p.text, x.requestID()); ok {
			return page
		}
	}
	text := strconv.Itoa(p.status) + " " + http.StatusText(p.status) + "\n" + p.text + "\n"
	return Page{ContentType: "text/plain; charset=utf-8", Body: []byte(text)}
}
