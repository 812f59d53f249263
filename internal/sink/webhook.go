package sink

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

const (
	// postBytes and postLines bound one request: what receivers of logs
	// commonly take is 1 MiB and a thousand records.
	postBytes = 1 << 20
	postLines = 1000
	// postTimeout bounds one attempt, with the receiver's own work.
	postTimeout = 30 * time.Second
	// postAttempts with these pauses make about a minute: a restart of the
	// receiver. One that is away for longer loses batches, so that those which
	// wait in the queue do not grow old behind one that it does not want.
	postAttempts = 8
	retryLeast   = 500 * time.Millisecond
	retryMost    = 30 * time.Second
	// retryAfterMost bounds what a receiver may ask for by Retry-After.
	retryAfterMost = time.Minute
	// answerBytes of an answer are read, so that its connection can be used
	// again; nothing in it matters.
	answerBytes = 64 << 10
)

// webhook sends lines as the bodies of POST requests. A batch is sent again
// under the same Idempotency-Key until the receiver has it, refuses it, or the
// attempts are used up.
type webhook struct {
	url    string
	client http.Client
	failed func(error)
	idle   func() // closes idle connections
}

func newWebhook(t Target, c *Config, failed func(error)) *webhook {
	w := &webhook{url: t.url.String(), failed: failed, idle: func() {}}
	transport := c.Transport
	if transport == nil {
		own := &http.Transport{
			DialContext: c.Dial, Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true,
			TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}, TLSHandshakeTimeout: dialTimeout,
			MaxIdleConns: 1, IdleConnTimeout: time.Minute,
		}
		transport, w.idle = own, own.CloseIdleConnections
	}
	w.client = http.Client{
		Transport: transport, Timeout: postTimeout,
		// A redirect would lead the log, and the credentials, elsewhere.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return w
}

// write sends the batch in requests of bounded size. Where one is lost the next
// is still tried: it may be the content that a receiver does not want.
func (w *webhook) write(ctx context.Context, b *batch) (delivered int, err error) {
	for from := 0; from < b.lines(); {
		to := min(b.upTo(from, postBytes), from+postLines)
		// A copy, because a client may go on reading the body of a request
		// whose answer came early or not at all.
		body := bytes.Clone(b.data[b.start(from):b.start(to)])
		if failed := w.deliver(ctx, body); failed != nil {
			err = failed
		} else {
			delivered += to - from
		}
		from = to
	}
	return delivered, err
}

// errRefused is the answer of a receiver that a repetition would not change.
var errRefused = errors.New("the receiver refused the lines")

func (w *webhook) deliver(ctx context.Context, body []byte) error {
	key := rand.Text()
	pause := backoff{least: retryLeast, most: retryMost}
	for attempt := 1; ; attempt++ {
		wish, err := w.post(ctx, key, body)
		if err == nil || errors.Is(err, errRefused) || ctx.Err() != nil {
			return err
		}
		if attempt == postAttempts {
			return fmt.Errorf("after %d attempts: %w", attempt, err)
		}
		w.failed(err)
		if sleep(ctx, max(wish, pause.delay())) != nil {
			return err
		}
	}
}

// post makes one attempt. wish is how long the receiver wants to be left alone.
func (w *webhook) post(ctx context.Context, key string, body []byte) (wish time.Duration, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url, bytes.NewReader(body))
	if err != nil {
		return 0, errors.Join(errRefused, withoutURL(err))
	}
	r.Header.Set("Content-Type", "application/x-ndjson")
	r.Header.Set("Idempotency-Key", key)
	r.Header.Set("User-Agent", "rescind")
	answer, err := w.client.Do(r)
	if err != nil {
		return 0, withoutURL(err)
	}
	defer answer.Body.Close()
	io.CopyN(io.Discard, answer.Body, answerBytes)
	return retryAfter(answer), verdict(answer.StatusCode)
}

// verdict says what a status code means for the batch.
func verdict(status int) error {
	switch {
	case status/100 == 2:
		return nil
	case status >= 500, status == http.StatusRequestTimeout, status == http.StatusTooEarly, status == http.StatusTooManyRequests:
		return fmt.Errorf("the receiver answered %d", status)
	}
	return fmt.Errorf("%w with %d", errRefused, status)
}

// withoutURL takes the URL out of a client's error: it may hold a secret.
func withoutURL(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

// retryAfter reads Retry-After (RFC 9110 section 10.2.3), bounded.
func retryAfter(answer *http.Response) time.Duration {
	value := answer.Header.Get("Retry-After")
	if n, err := strconv.ParseUint(value, 10, 32); err == nil {
		return min(time.Duration(n)*time.Second, retryAfterMost)
	}
	if at, err := http.ParseTime(value); err == nil {
		return min(max(time.Until(at), 0), retryAfterMost)
	}
	return 0
}

func (w *webhook) reopen() error { return nil }

func (w *webhook) close() error {
	w.idle()
	return nil
}
