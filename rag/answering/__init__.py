"""From passages to an answer: extracted sentences or a language model's, checked."""
