"""The references the doctor is compared with: one JSON request a line on standard
input, one JSON answer a line on standard output.

render: transformers' own rendering, assistant mask and tokenizer.
mistral: mistral-common's checks for fine-tuning. together: Together's file check.
trl: the trainer's own preparation of a data set.
"""

import contextlib
import datetime as real
import io
import json
import pathlib
import sys
import tempfile

answers = sys.stdout
sys.stdout = sys.stderr


class Pinned(real.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls(2024, 7, 26)


def tokenizer(request):
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

    own = PreTrainedTokenizerFast(tokenizer_object=Tokenizer.from_str(request["tokenizer"]))
    own.bos_token, own.eos_token = request["bos"], request["eos"]
    return own


def render(request):
    from transformers.utils import chat_template_utils

    chat_template_utils.datetime = Pinned
    own = tokenizer(request)
    out = []
    for record in request["records"]:
        try:
            given = dict(tools=record.get("tools"), chat_template=request["template"])
            given |= record.get("chat_template_kwargs", {})
            text = own.apply_chat_template(record["messages"], tokenize=False, **given)
            made = own.apply_chat_template(
                record["messages"], tokenize=True, return_dict=True,
                return_assistant_tokens_mask=True, **given,
            )
            messages = chat_template_utils._normalize_chat_messages(record["messages"])
            _, spans = chat_template_utils.render_jinja_template(
                [messages], return_assistant_tokens_mask=True, **given, **own.special_tokens_map
            )
            mask = made["assistant_masks"]
            out.append(dict(text=text, spans=spans[0], tokens=len(made["input_ids"]), trained=sum(mask)))
        except Exception as error:
            out.append(dict(error=f"{type(error).__name__}: {error}"))
    return out


def mistral(request):
    from mistral_common.protocol.instruct.messages import FinetuningAssistantMessage
    from mistral_common.protocol.instruct.messages import SystemMessage, ToolMessage, UserMessage
    from mistral_common.protocol.instruct.tool_calls import Tool
    from mistral_common.protocol.instruct.validator import ValidationMode, get_validator
    from mistral_common.tokens.tokenizers.base import TokenizerVersion

    kinds = dict(user=UserMessage, system=SystemMessage, tool=ToolMessage, assistant=FinetuningAssistantMessage)
    validator = get_validator(TokenizerVersion(request["version"]), ValidationMode.finetuning)
    out = []
    for record in request["records"]:
        try:
            validator.validate_messages([kinds[m["role"]].model_validate(m) for m in record["messages"]])
            validator._validate_tools([Tool.model_validate(t) for t in record.get("tools", [])])
            out.append(None)
        except Exception as error:
            out.append(f"{type(error).__name__}: {error}"[:300])
    return out


def together(request):
    from together.utils.files import check_file

    out = []
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "one.jsonl"
        for record in request["records"]:
            path.write_text(json.dumps(record) + "\n", encoding="utf-8")
            report = check_file(path)
            out.append(None if report["is_check_passed"] else report.get("message"))
    return out


def trl(request):
    from types import SimpleNamespace

    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    own = tokenizer(request)
    out = []
    for record in request["records"]:
        made = SimpleNamespace(
            _tokenizer=own, chat_template=request["template"], completion_only_loss="prompt" in record
        )
        with tempfile.TemporaryDirectory() as folder:
            config = SFTConfig(
                output_dir=folder, max_length=request["max_length"], bf16=False, report_to="none",
                assistant_only_loss=request["loss"] == "replies", use_cpu=True,
            )
            try:
                loaded = Dataset.from_list([record])
                rows = SFTTrainer._prepare_dataset(
                    made, loaded, own, config, False, None, "train"
                )
                rows = list(rows)
                labels = rows[0]["labels"] if rows else []
                out.append(dict(kept=len(labels), kept_trained=sum(l != -100 for l in labels)))
            except Exception as error:
                out.append(dict(error=f"{type(error).__name__}: {error}"[:300]))
    return out


for line in sys.stdin:
    request = json.loads(line)
    with contextlib.redirect_stdout(io.StringIO()):
        answer = globals()[request["ask"]](request)
    answers.write(json.dumps(answer) + "\n")
    answers.flush()
