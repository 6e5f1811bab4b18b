"""Our search inside other people's chains: one module for each library, which that library's users import.

In: the folder of a finished workspace. Out: retrievers of LangChain and LlamaIndex. Importing the room itself loads nothing.
"""

__all__: list[str] = []
