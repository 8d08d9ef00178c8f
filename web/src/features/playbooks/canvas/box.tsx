// A step on the canvas.
import { Handle, Position, type Node, type NodeProps } from '@xyflow/react';
import { Mark as Form } from '@/parts/icon';
import type { Mark } from './look';

export type BoxData = { title: string; type: string; kind: string; mark: Mark | null; faults: string | null; connectable: boolean };
export type Box = Node<BoxData, 'step'>;

export function StepBox({ data }: NodeProps<Box>) {
  return (
    <>
      <Handle type="target" position={Position.Top} isConnectable={data.connectable && data.type !== 'start'} />
      <div className={`step-box ${data.type} ${data.mark ? `is-${data.mark.form}` : ''}`}>
        <span className="step-kind">
          <span className="clip">{data.kind === data.title ? '' : data.kind}</span>
          {data.mark && <span className={`tag bare ${data.mark.tone}`}><Form shape={data.mark.shape} />{data.mark.word}</span>}
          {data.faults && <span className="tag bare critical"><Form shape="triangle" />{data.faults}</span>}
        </span>
        <span className="step-title">{data.title}</span>
      </div>
      {data.type !== 'end' && <Handle type="source" position={Position.Bottom} isConnectable={data.connectable} />}
    </>
  );
}
