"""Models as tools, not as a stage: encoders, language models, and where their files come from.

Any stage may use this room. Its doors are the Protocols in ``protocols``; the modules behind them load
torch, openai or xllamacpp only when a model is made, so importing this package costs nothing.
"""

__all__: list[str] = []
