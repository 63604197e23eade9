package main

import (
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
