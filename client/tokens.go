package client

import (
	"context"
	"net/http"
	"net/url"

	"github.com/rescind-edge/rescind/api"
)

// Managing tokens needs a client with a token of scope api.ScopeGlobal, or one
// at the node's Unix socket.

// CreateToken creates a token. The answer holds its secret, which the node does
// not keep and cannot show again.
func (c *Client) CreateToken(ctx context.Context, t api.NewToken) (*api.CreatedToken, error) {
	return call[api.CreatedToken](ctx, c, http.MethodPost, api.PathTokens, t)
}

// Tokens lists the tokens that the caller may manage.
func (c *Client) Tokens(ctx context.Context) ([]api.Token, error) {
	list, err := call[api.Tokens](ctx, c, http.MethodGet, api.PathTokens, nil)
	if err != nil {
		return nil, err
	}
	return list.Tokens, nil
}

// RevokeToken makes a token no good for any request that begins afterwards.
func (c *Client) RevokeToken(ctx context.Context, id string) error {
	request, err := c.request(ctx, http.MethodDelete, api.PathTokens+"/"+url.PathEscape(id), nil)
	if err != nil {
		return err
	}
	_, _, err = c.send(request)
	return err
}
