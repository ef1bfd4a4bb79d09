"""The routes about similarity."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated
from uuid import UUID

from litestar import get, post
from litestar.datastructures import UploadFile
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath, JSONBody, QueryParameter
from litestar.status_codes import HTTP_200_OK

from adology_server import parts
from adology_server.access import Access, allow
from adology_server.brandspaces.seen import Which, chosen
from adology_server.parts import Incoming
from adology_server.problems import Refusal
from adology_server.similar.embedding import Embedding
from adology_server.similar.index import Asked, SimilarityIndexes
from adology_server.similar.lookup import brands_of, find, places_of
from adology_server.similar.model import MOST, How, Neighbours, TextSearch

PIECE = 1 << 20

Everywhere = Annotated[bool, QueryParameter(description="Among all ads that may be seen, not the brandspace's alone.")]
Only = Annotated[How | None, QueryParameter(description="Look-alikes or same-sayers alone.")]
Most = Annotated[int, QueryParameter(ge=1, le=MOST, description="Neighbours, at most.")]


@get("/v1/ads/{ad_id:int}/similar", opt=allow(Access.VIEWER), operation_id="similarAds")
async def similar_ads(
    request: Incoming,
    ad_id: FromPath[int],
    how: Only = None,
    limit: Most = 20,
    brandspace: Which = None,
    everywhere: Everywhere = False,
) -> Neighbours:
    """Creatives that look like the ad's, and copies that say what it says; the nearest first."""
    space = None if everywhere else chosen(request, brandspace)
    places, brands = await places_of(parts.tenants(request), request.user.org, ad_id, how, space)
    return await _answer(request, places, brands, limit, how)


@post("/v1/search/text", opt=allow(Access.VIEWER), status_code=HTTP_200_OK, operation_id="searchByText")
async def search_by_text(request: Incoming, data: JSONBody[TextSearch], brandspace: Which = None) -> Neighbours:
    """Ads that say something like this."""
    brands = await _brands(request, brandspace, everywhere=data.everywhere)
    return await _answer(request, await _embedding(request).of_text(data.text), brands, data.limit)


@post(
    "/v1/search/media",
    opt=allow(Access.VIEWER),
    status_code=HTTP_200_OK,
    operation_id="searchByMedia",
)
async def search_by_media(
    request: Incoming,
    data: Annotated[dict[str, UploadFile], Body(media_type=RequestEncodingType.MULTI_PART)],
    limit: Most = 20,
    brandspace: Which = None,
    everywhere: Everywhere = False,
) -> Neighbours:
    """Creatives that look like the image or video in the form's field `file`."""
    file = data.get("file")
    if file is None or len(data) != 1:
        raise Refusal("invalid", "The form holds one file, in the field 'file'.", field="file")
    brands = await _brands(request, brandspace, everywhere=everywhere)
    with tempfile.TemporaryDirectory(prefix="adology-upload-") as folder:
        path = Path(folder) / "upload"
        await _save(file, path, parts.settings(request).max_upload_bytes)
        asked = await _embedding(request).of_file(path)
    return await _answer(request, asked, brands, limit)


async def _answer(
    request: Incoming, asked: Sequence[Asked], brands: list[str] | None, limit: int, how: How | None = None
) -> Neighbours:
    indexes: SimilarityIndexes = request.app.state.indexes
    items = await find(parts.tenants(request), indexes, request.user.org, asked, brands, limit, how)
    known = set(indexes.spaces)
    return Neighbours(items=items, spaces=tuple(sorted({one.space for one in asked} & known)))


async def _brands(request: Incoming, brandspace: UUID | None, *, everywhere: bool) -> list[str] | None:
    if everywhere:
        return None
    return await brands_of(parts.tenants(request), request.user.org, chosen(request, brandspace))


async def _save(file: UploadFile, path: Path, most: int) -> None:
    size = 0
    with path.open("wb") as out:
        while piece := await file.read(PIECE):
            size += len(piece)
            if size > most:
                raise Refusal("body-too-large", f"A file to search with has {most} bytes at most.", field="file")
            out.write(piece)


def _embedding(request: Incoming) -> Embedding:
    found: Embedding = request.app.state.embedding
    return found


ROUTES = (similar_ads, search_by_text)
UPLOADS = (search_by_media,)
"""Those whose bodies may be as large as a file."""
