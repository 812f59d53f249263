// Package compress makes compressed variants of responses: it says which coding
// a client gets, which responses are worth one, what becomes of the fields, and
// encodes the body as it passes.
//
// It reads and writes values and streams, and knows nothing of stores, requests
// or services. It does not decode: what the origin has encoded stays as it is.
//
// # Secrets
//
// Compression tells the length of what it makes, and that depends on what
// repeats. Where a response has a secret, such as a token against forged
// requests, beside something that an attacker chooses, such as a search term,
// whoever can make a victim ask and can see the lengths learns the secret
// letter by letter, TLS or not (the BREACH attack). This package cannot see
// which responses those are. An origin that sends them forbids compression with
// Cache-Control: no-transform, masks the secret anew in every response, or
// sends it in a field. A response that is the same for everybody has no secret
// to lose.
package compress
