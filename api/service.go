package api

// Services is the answer to GET PathServices: the services that the caller may
// see, in their configured order.
type Services struct {
	Services []ServiceStatus `json:"services"`
}
