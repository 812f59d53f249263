package client

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"iter"
	"net/http"
	"net/url"

	"github.com/rescind-edge/rescind/api"
)

// maxLine bounds a line of the log: a request's head is limited to some hundred
// KiB, and a line holds only parts of it.
const maxLine = 1 << 20

// Tail yields the lines of the node's log as requests end, each one JSON object,
// until ctx ends, the node ends the stream or an error comes, which is yielded
// last. filter selects lines; "" takes all. A line of api.Missed stands for
// lines that came too fast. Options.Timeout does not apply.
func (c *Client) Tail(ctx context.Context, filter string) iter.Seq2[json.RawMessage, error] {
	return func(yield func(json.RawMessage, error) bool) {
		response, err := c.openLog(ctx, filter)
		if err != nil {
			yield(nil, err)
			return
		}
		defer response.Body.Close()
		lines := bufio.NewScanner(response.Body)
		lines.Buffer(nil, maxLine)
		for lines.Scan() {
			line := bytes.TrimSpace(lines.Bytes())
			if len(line) == 0 {
				continue // keeps the connection alive
			}
			if !yield(bytes.Clone(line), nil) {
				return
			}
		}
		if err := lines.Err(); err != nil {
			yield(nil, unreachable(response.Request, err))
		}
	}
}

func (c *Client) openLog(ctx context.Context, filter string) (*http.Response, error) {
	path := api.PathLog
	if filter != "" {
		path += "?" + url.Values{api.QueryFilter: {filter}}.Encode()
	}
	request, err := c.request(ctx, http.MethodGet, path, nil)
	if err != nil {
		return nil, err
	}
	endless := c.http
	endless.Timeout = 0
	response, err := endless.Do(request)
	if err != nil {
		return nil, unreachable(request, err)
	}
	if success(response) {
		return response, nil
	}
	defer response.Body.Close()
	data, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return nil, unreachable(request, err)
	}
	return nil, problem(response, data)
}
