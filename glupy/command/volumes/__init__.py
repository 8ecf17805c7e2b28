"""What the commands about volumes that glusterd manages need.

gluster.py    glusterd's answers: volumes, bricks, peers
addresses.py  whose an address is
asking.py     a question to all nodes, by `gluster system:: execute`
counting.py   what GlusterFS's processes on a node have counted in their layers, and loaded
node.py       what a node answers: `peer_glupy`, which glusterd runs there
checking.py   whether all nodes are ready for a layer, and what mends those that are not
changing.py   a layer of a volume changed, in the two steps that glusterd needs
rolling.py    bricks restarted node by node
parcels.py    a translator in one file, as glusterd carries it from node to node
taking.py     what a node does with a translator that another one hands to it
"""
