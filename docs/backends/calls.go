package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

type FunctionError struct{ Code, Message, RequestId string }

func (e *FunctionError) Error() string { return e.Message + " (" + e.RequestId + ")" }

type Committed struct {
	Key, State, Url string
	Error           *FunctionError
}

type Who struct {
	Active     bool
	Sub, Owner string
	Exp        int64
}

func Call(function, route string, body, said any, secret string) error {
	encode := base64.RawURLEncoding.EncodeToString
	claims := fmt.Sprintf(`{"aud":"oss-direct-upload/backend","exp":%d}`, time.Now().Unix()+300)
	text := encode([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + encode([]byte(claims))
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(text))
	sent, _ := json.Marshal(body)
	request, err := http.NewRequest("POST", function+"/"+route, bytes.NewReader(sent))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+text+"."+encode(mac.Sum(nil)))
	request.Header.Set("Content-Type", "application/json")
	client := http.Client{Timeout: 15 * time.Second}
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != 200 {
		refused := FunctionError{Message: fmt.Sprintf("%s: HTTP %d", route, answer.StatusCode)}
		_ = json.NewDecoder(answer.Body).Decode(&struct{ Error *FunctionError }{&refused})
		return &refused
	}
	return json.NewDecoder(answer.Body).Decode(said)
}

// For each receipt, in order, its state, or an error: repeat those later.
func Commit(function string, receipts []string, secret string) ([]Committed, error) {
	var said struct{ Results []Committed }
	err := Call(function, "commit", map[string]any{"receipts": receipts}, &said, secret)
	return said.Results, err
}

// Whose session it is; or Active is false.
func Introspect(function, session, secret string) (who Who, err error) {
	err = Call(function, "introspect", map[string]any{"token": session}, &who, secret)
	return
}
