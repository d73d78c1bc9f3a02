"""Voices from elsewhere: any OpenAI-compatible speech endpoint, the embedded voice behind it."""
