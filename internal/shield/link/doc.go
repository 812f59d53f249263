// Package link is the connection between an edge and a shield: TLS 1.3 in which
// both sides prove, by a certificate of a key that is derived from the cluster's
// secret, that they have the secret. So what either says is neither read nor
// changed nor repeated on the way, and nobody else is ever listened to. There is
// no authority and nothing to renew: the key is what counts, not what the
// certificate says.
package link
