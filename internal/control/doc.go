// Package control is the one path of every purge and every revert on a node,
// whichever API it came through: authenticate, authorise, limit, validate,
// apply, receipt.
//
// It knows nothing of HTTP: a dialect turns a request into Credentials and a
// Request, and a Receipt or an error into an answer. It neither marks nor finds
// objects: the Engine does.
package control
