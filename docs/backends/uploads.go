// What a backend needs: verify receipts and webhooks, call the function.
package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

func VerifyReceipt(receipt, secret string) (map[string]any, error) {
	parts := strings.Split(receipt, ".")
	if len(parts) != 3 {
		return nil, errors.New("not a receipt")
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(parts[0] + "." + parts[1]))
	given, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || !hmac.Equal(given, mac.Sum(nil)) {
		return nil, errors.New("bad signature")
	}
	var head, claims map[string]any
	for i, into := range []*map[string]any{&head, &claims} {
		text, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil || json.Unmarshal(text, into) != nil {
			return nil, errors.New("not a receipt")
		}
	}
	if head["alg"] != "HS256" {
		return nil, errors.New("wrong algorithm")
	}
	exp, _ := claims["exp"].(float64)
	if claims["aud"] != "oss-direct-upload/receipt" || exp <= float64(time.Now().Unix()) {
		return nil, errors.New("not a receipt, or expired")
	}
	return claims, nil
}

func VerifyWebhook(body []byte, headers http.Header, secret string) (map[string]any, error) {
	id, timestamp := headers.Get("webhook-id"), headers.Get("webhook-timestamp")
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if age := time.Now().Unix() - seconds; err != nil || age > 300 || age < -300 {
		return nil, errors.New("too old or too new")
	}
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "%s.%s.%s", id, timestamp, body)
	expected := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	matches := false
	for _, given := range strings.Fields(headers.Get("webhook-signature")) {
		matches = matches || hmac.Equal([]byte(given), []byte(expected))
	}
	if !matches {
		return nil, errors.New("bad signature")
	}
	var event, claims map[string]any
	if err := json.Unmarshal(body, &event); err != nil {
		return nil, err
	}
	if receipt, ok := event["receipt"].(string); ok {
		payload, err := base64.RawURLEncoding.DecodeString(strings.Split(receipt+".", ".")[1])
		if err != nil || json.Unmarshal(payload, &claims) != nil {
			return nil, errors.New("not a receipt")
		}
		event["claims"] = claims
	}
	return event, nil
}

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
