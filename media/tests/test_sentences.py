"""Translators find every sentence of the score table."""

from __future__ import annotations

import ast
import inspect

from media import matching
from media.sentences import SENTENCES


def test_every_sentence_of_a_score_is_there_to_be_translated():
    said = {
        text.value
        for call in ast.walk(ast.parse(inspect.getsource(matching)))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "Part"
        for sentence in call.args
        if isinstance(sentence, ast.Call)
        for text in sentence.args
        if isinstance(text, ast.Constant) and isinstance(text.value, str)
    }
    said |= {
        str(call.args[0].value)
        for call in ast.walk(ast.parse(inspect.getsource(matching)))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id == "Sentence"
        and isinstance(call.args[0], ast.Constant)
    }
    assert len(said) > 20
    assert said <= set(SENTENCES)
    source = " ".join(ast.unparse(ast.parse(inspect.getsource(matching))).split())
    assert [text for text in SENTENCES if text.split("%")[0] not in source] == []
