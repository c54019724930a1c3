//go:build unix

package main

import (
	"encoding/json"
	"fmt"
	"strings"
)

// request is what a reply must know of the JSON that asked for it.
type request struct {
	isChat       bool
	isStreamed   bool
	count        int // tokens, the end of the sequence included
	hasEnd       bool
	includeUsage bool
	promptTokens int
}

// refusal is an error object of vLLM's shape with its status.
type refusal struct {
	status               int
	kind, message, param string
}

func (r *refusal) body() []byte {
	param := any(r.param)
	if r.param == "" {
		param = nil
	}
	body, _ := json.Marshal(map[string]any{"error": map[string]any{
		"message": r.message, "type": r.kind, "param": param, "code": r.status,
	}})
	return body
}

func (s *server) readRequest(isChat bool, body []byte) (*request, *refusal) {
	var fields struct {
		Model               *string
		Stream              bool
		N                   *int
		MaxTokens           *int `json:"max_tokens"`
		MaxCompletionTokens *int `json:"max_completion_tokens"`
		IgnoreEOS           bool `json:"ignore_eos"`
		StreamOptions       struct {
			IncludeUsage bool `json:"include_usage"`
		} `json:"stream_options"`
		Messages *[]struct{ Content json.RawMessage }
		Prompt   *string
	}
	if err := json.Unmarshal(body, &fields); err != nil {
		return nil, &refusal{400, "Bad Request", "1 validation error:\n  " + err.Error(), "body"}
	}
	words := 0
	switch {
	case isChat && fields.Messages == nil:
		return nil, &refusal{400, "Bad Request", "1 validation error:\n  messages: Field required", "body.messages"}
	case isChat:
		for _, message := range *fields.Messages {
			words += countWords(message.Content)
		}
	case fields.Prompt == nil:
		return nil, &refusal{400, "Bad Request", "1 validation error:\n  prompt: Field required", "body.prompt"}
	default:
		words = len(strings.Fields(*fields.Prompt))
	}
	if fields.Model != nil && *fields.Model != s.model {
		message := fmt.Sprintf("The model `%s` does not exist. Valid aliases: %s.", *fields.Model, s.model)
		return nil, &refusal{404, "NotFoundError", message, "model"}
	}
	if fields.N != nil && *fields.N != 1 {
		return nil, &refusal{400, "BadRequestError", "n must be 1 here", "n"}
	}
	limit := fields.MaxTokens
	if isChat && fields.MaxCompletionTokens != nil {
		limit = fields.MaxCompletionTokens
	}
	if limit != nil && *limit < 1 {
		message := fmt.Sprintf("max_tokens must be at least 1, got %d. (parameter=max_tokens, value=%d)", *limit, *limit)
		return nil, &refusal{400, "BadRequestError", message, "max_tokens"}
	}
	r := &request{
		isChat:       isChat,
		isStreamed:   fields.Stream,
		count:        s.schedule.tokens + 1,
		hasEnd:       true,
		includeUsage: fields.Stream && fields.StreamOptions.IncludeUsage,
		promptTokens: max(1, words),
	}
	if limit != nil && (*limit < r.count || fields.IgnoreEOS) {
		r.count, r.hasEnd = *limit, false
	}
	return r, nil
}

// countWords counts the words of a message's content: a text, or a list of parts with text.
func countWords(content json.RawMessage) int {
	var text string
	if json.Unmarshal(content, &text) == nil {
		return len(strings.Fields(text))
	}
	var parts []struct{ Text string }
	_ = json.Unmarshal(content, &parts)
	words := 0
	for _, part := range parts {
		words += len(strings.Fields(part.Text))
	}
	return words
}
