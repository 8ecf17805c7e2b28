"""Has a layer of its graph load its file anew, when root says so by an extended attribute.

`glupy run --reload` puts one above everything else. GlusterFS does not read a volfile again that it was given as a file,
so what else would change an option there is out of reach.
"""

from __future__ import annotations

from glupy import Frame, Loc, Option, SetxattrReply, Translator, Xdata, to_thread

#: What is set on the root of the mount, to a text that is another one each time.
ATTRIBUTE = "trusted.glupy.reload"


class Reload(Translator):
    layer = Option(str, help="the layer whose file it is")

    async def setxattr(self, frame: Frame, loc: Loc, dict: Xdata, flags: int, xdata: Xdata) -> SetxattrReply:
        if ATTRIBUTE not in dict:
            return await self.child.setxattr(loc, dict, flags, xdata)
        if frame.uid != 0:
            raise PermissionError
        await to_thread(self._instance.load_anew, self.layer, bytes(dict[ATTRIBUTE]).decode())
        return SetxattrReply()
