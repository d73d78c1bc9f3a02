from avatar_engine.cli import app

app(prog_name="python -m avatar_engine")
