package emulator

import "net/http"

// apiError is a refusal as the REST API words it. The same error stands in a
// list with "errorCode" on rows, and with "statusCode" in collections and SOAP.
type apiError struct {
	status  int
	code    string
	message string
	fields  []string
	// dml puts "fields" into the answer even when it is empty, as DML does.
	dml bool
}

func failure(status int, code, message string) *apiError {
	return &apiError{status: status, code: code, message: message}
}

// refusal is a 400 that a write meets.
func refusal(code, message string, fields ...string) *apiError {
	return &apiError{status: http.StatusBadRequest, code: code, message: message, fields: fields, dml: true}
}

func notFound() *apiError {
	return failure(http.StatusNotFound, "NOT_FOUND", "The requested resource does not exist")
}

func entityDeleted() *apiError {
	return &apiError{status: http.StatusNotFound, code: "ENTITY_IS_DELETED", message: "entity is deleted", dml: true}
}

func noAccess() *apiError {
	return &apiError{
		status: http.StatusForbidden, code: "INSUFFICIENT_ACCESS_OR_READONLY",
		message: "insufficient access rights on object id", dml: true,
	}
}

func invalidSession() *apiError {
	return failure(http.StatusUnauthorized, "INVALID_SESSION_ID", "Session expired or invalid")
}

// The two refusals that share an error code: only the message tells them apart.
func dailyExceeded() *apiError {
	return failure(http.StatusForbidden, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
}

func concurrentExceeded() *apiError {
	return failure(http.StatusForbidden, "REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests (Concurrent API Requests) Limit exceeded.")
}

func unexpected() *apiError {
	return failure(http.StatusInternalServerError, "UNKNOWN_EXCEPTION",
		"An unexpected error occurred. Please include this ErrorId if you contact support: 1234567890-12345 (-123456789)")
}

// restError is one element of the REST error list.
type restError struct {
	Message   string    `json:"message"`
	ErrorCode string    `json:"errorCode"`
	Fields    *[]string `json:"fields,omitempty"`
}

// dmlError is one element of an item's errors in collections.
type dmlError struct {
	StatusCode string   `json:"statusCode"`
	Message    string   `json:"message"`
	Fields     []string `json:"fields"`
}

func (e *apiError) rest() []restError {
	out := restError{Message: e.message, ErrorCode: e.code}
	if e.dml {
		fields := append([]string{}, e.fields...)
		out.Fields = &fields
	}
	return []restError{out}
}

func (e *apiError) item() []dmlError {
	return []dmlError{{StatusCode: e.code, Message: e.message, Fields: append([]string{}, e.fields...)}}
}

// reply turns the error into a REST answer.
func (e *apiError) reply() *reply { return jsonReply(e.status, e.rest()) }
