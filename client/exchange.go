package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"

	"github.com/rescind-edge/rescind/api"
)

// maxAnswer bounds an answer's body: a listing of api.MaxListed receipts with
// long selectors stays below it.
const maxAnswer = 16 << 20

// call makes one request and decodes its answer. A nil body sends none.
func call[T any](ctx context.Context, c *Client, method, path string, body any) (*T, error) {
	request, err := c.request(ctx, method, path, body)
	if err != nil {
		return nil, err
	}
	answer, _, err := exchange[T](c, request)
	return answer, err
}

// exchange sends a request, decodes its answer and returns the answer's header.
func exchange[T any](c *Client, request *http.Request) (*T, http.Header, error) {
	response, data, err := c.send(request)
	if err != nil {
		return nil, nil, err
	}
	answer := new(T)
	if err := json.Unmarshal(data, answer); err != nil || len(data) > maxAnswer {
		return nil, nil, unexpected(response)
	}
	return answer, response.Header, nil
}

// send sends a request and reads its answer, which is a success.
func (c *Client) send(request *http.Request) (*http.Response, []byte, error) {
	response, err := c.http.Do(request)
	if err != nil {
		return nil, nil, unreachable(request, err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if err != nil {
		return nil, nil, unreachable(request, err)
	}
	if !success(response) {
		return nil, nil, problem(response, data)
	}
	return response, data, nil
}

func success(response *http.Response) bool {
	return response.StatusCode >= 200 && response.StatusCode <= 299
}

// unexpected returns the error of a success that is not what the API answers.
func unexpected(response *http.Response) *api.Problem {
	asked := response.Request
	return &api.Problem{
		Type: "about:blank", Title: "Unexpected answer", Status: response.StatusCode,
		Detail: fmt.Sprintf("%s answered %s %s with something else than the API's JSON", asked.URL.Host, asked.Method, asked.URL.Path),
		Next:   "check that the address is that of a node's administrative listener",
	}
}

func (c *Client) request(ctx context.Context, method, path string, body any) (*http.Request, error) {
	var content io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return nil, fmt.Errorf("encode the request: %w", err)
		}
		content = bytes.NewReader(data)
	}
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, content)
	if err != nil {
		return nil, fmt.Errorf("make the request: %w", err)
	}
	if body != nil {
		request.Header.Set("Content-Type", api.ContentType)
	}
	request.Header.Set("Accept", api.ContentType)
	if c.token != "" {
		request.Header.Set("Authorization", "Bearer "+c.token)
	}
	return request, nil
}

// unreachable wraps the error of a request without an answer. The reason keeps
// what context or network error it was, without net/http's repetition of the URL.
func unreachable(request *http.Request, err error) error {
	var reason *url.Error
	if errors.As(err, &reason) {
		err = reason.Err
	}
	var failed *net.OpError
	if errors.As(err, &failed) && failed.Net == "unix" { // names the socket itself
		return fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	return fmt.Errorf("%w at %s: %w", ErrUnreachable, request.URL.Host, err)
}

// problem returns the error of an answer that is no success, whoever gave it.
func problem(response *http.Response, data []byte) *api.Problem {
	p := &api.Problem{}
	kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	if kind != api.ProblemContentType || json.Unmarshal(data, p) != nil {
		p = &api.Problem{
			Type:   "about:blank",
			Detail: fmt.Sprintf("%s answered with status %d, not as the API does", response.Request.URL.Host, response.StatusCode),
			Next:   "check that the address is that of a node's administrative listener",
		}
	}
	p.Status = response.StatusCode
	if p.Title == "" {
		p.Title = http.StatusText(response.StatusCode)
	}
	return p
}
