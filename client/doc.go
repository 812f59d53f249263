// Package client is the Go client of Rescind's native API: purging, reverting,
// receipts and status of one node. It only moves api types; what they mean is
// said there.
package client
