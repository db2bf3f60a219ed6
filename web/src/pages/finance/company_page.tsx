import { useAnswer } from '../../live/use_answer';
import { may } from '../../session/current';
import { AnswerView } from '../../ui/answer_view';
import { Details } from '../../ui/details';
import { Icon } from '../../ui/icon';
import { PageHeader } from '../../ui/page_header';
import '../../words/company';
import '../../words/customers';
import { useTongue } from '../../words/tongue';

/** Our own company, as it stands on documents. */
export default function CompanyPage() {
  const { say } = useTongue();
  const answer = useAnswer('/api/company');
  return (
    <div class="page">
      <PageHeader
        title={say('nav.company')}
        note={may('admin') ? say('company.lead') : `${say('company.lead')} ${say('company.readonly')}`}
        actions={
          may('admin') &&
          answer.body && (
            <a class="button" href="/company/edit">
              <Icon name="edit" />
              {say('customers.edit')}
            </a>
          )
        }
      />
      <AnswerView answer={answer}>
        {({ data }) => (
          <div class="columns">
            <Details
              title={say('company.sender')}
              rows={[
                [say('company.name'), data.name],
                [say('company.street'), data.street],
                [say('company.city'), `${data.postalCode} ${data.city}`.trim()],
                [say('company.country'), data.country],
                [say('company.email'), data.email],
                [say('company.phone'), data.phone],
              ]}
            />
            <Details
              title={say('company.bank_details')}
              rows={[
                [say('company.bank'), data.bank],
                [say('company.iban'), data.iban && <span class="number">{data.iban.replace(/(.{4})(?=.)/g, '$1 ')}</span>],
                [say('company.bic'), data.bic],
              ]}
            />
            <Details
              title={say('company.registers')}
              rows={[
                [say('company.vatId'), data.vatId],
                [say('company.taxNumber'), data.taxNumber],
                [say('company.tradeRegister'), data.tradeRegister],
              ]}
            />
          </div>
        )}
      </AnswerView>
    </div>
  );
}
