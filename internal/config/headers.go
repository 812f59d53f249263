package config

// HeaderRules change fields on their way through the node.
type HeaderRules struct {
	Request  HeaderRule // of requests to origins
	Response HeaderRule // of responses to clients, when they are sent: what is stored stays as the origin sent it
}

// HeaderRule is a change of fields: first Remove, then Set, then, in responses
// only, Add.
type HeaderRule struct {
	Remove []string // names of fields
	Set    []Header // replaces all fields of its name
	Add    []Header // stands beside what there is; for responses only
}

// Header is one field line.
type Header struct {
	Name  string // as in the file; compares without regard to case
	Value string // may be empty
}
