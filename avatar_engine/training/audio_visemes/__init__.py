"""Recipe of the ear: synthetic speech with exact labels in, ``speech/ear.safetensors`` out."""
