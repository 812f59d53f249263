package dialect

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
)

// JSON is the content type of answers in JSON. It has no charset: one client
// parses an answer only if it is exactly this.
const JSON = "application/json"

// EncodeJSON returns v as JSON without a final line feed, its "<" and "&" as they
// are. It panics where v is of a type that cannot be encoded.
func EncodeJSON(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic("dialect: " + err.Error())
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// WriteJSON sends v as the whole of an answer, as EncodeJSON has it.
func WriteJSON(w http.ResponseWriter, status int, v any) {
	Write(w, status, JSON, EncodeJSON(v))
}

// Write sends an answer that nobody may store.
func Write(w http.ResponseWriter, status int, contentType string, body []byte) {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	w.Write(body) // a client that has gone learns nothing more
}
