package httpcache

// heuristic tells whether a status code permits freshness to be assumed
// (RFC 9110 section 15.1). 206 is missing because partial responses are not
// stored, 501 because an error must ask for being kept: it would outlive the
// trouble that caused it.
func heuristic(status int) bool {
	switch status {
	case 200, 203, 204, 300, 301, 308, 404, 405, 410, 414:
		return true
	}
	return false
}

// understood tells whether the caching rules of a status code are known here,
// which must-understand makes a condition (RFC 9111 section 5.2.2.3).
func understood(status int) bool {
	if heuristic(status) {
		return true
	}
	switch status {
	case 302, 303, 307, 400, 401, 403, 451, 500, 501, 502, 503, 504:
		return true
	}
	return false
}

// storableStatus tells whether a response of that status can answer other
// requests than its own. 206 and 416 answer a range, 304 and 412 a condition;
// an interim response answers nothing (RFC 9111 section 3). An unknown final
// status code is stored like its class, where freshness is explicit.
func storableStatus(status int) bool {
	switch status {
	case 206, 304, 412, 416:
		return false
	}
	return status >= 200 && status <= 599
}
