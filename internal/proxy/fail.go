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
	x.p.stats.Errors.Add(x.stripe, 1)
	x.deadline()
	page := x.page()
	x.out = x.out[:0]
	if len(page.Body) > 0 {
		x.out = x.out.Add("Content-Type", page.ContentType).Add("X-Content-Type-Options", "nosniff")
	}
	if x.problem.status != http.StatusNoContent {
		x.out = x.out.Add("Content-Length", x.number(int64(len(page.Body))))
	}
	x.out = x.out.Add("Cache-Control", "no-store")
	if s := x.problem.status; s == http.StatusMethodNotAllowed || s == http.StatusNoContent {
		x.out = x.out.Add("Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")
	}
	x.addNodeFields()
	if x.edge != nil {
		x.addWord()
	} else {
		x.rewriteResponse()
	}
	x.writeHeader(x.problem.status)
	if x.ask.method != http.MethodHead {
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
